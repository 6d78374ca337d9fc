import { type Evidence, listRecords } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { DECISION_CHAIN } from './decision.js';
import { knownRecords, unknownRecords } from './decision-records.js';

/** The ledger of decisions against the database. */
export interface DecisionCheck {
  /** Decisions in records that the database does not know: it was restored to before they were made. */
  readonly unknown: number;
  /** Records of which the database knows, and which are not here: chain/number. */
  readonly missing: readonly string[];
  /** Decisions that stand in no record yet: a restore would lose them. */
  readonly waiting: number;
}

export async function checkDecisions(session: Session, evidence: Evidence): Promise<DecisionCheck> {
  const unknown = await unknownRecords(session, evidence);
  const missing = new Map(await knownRecords(session));
  if (missing.size > 0) for (const hash of await hashesHere(evidence)) missing.delete(hash);
  const { waiting } = await session.one<{ waiting: number }>(
    'select count(*)::int as waiting from privacy.decisions',
  );
  return {
    unknown: unknown.reduce((sum, { decisions }) => sum + decisions.length, 0),
    missing: [...missing.values()],
    waiting,
  };
}

async function hashesHere(evidence: Evidence): Promise<string[]> {
  const hashes: string[] = [];
  if (!(await evidence.store.chains()).includes(DECISION_CHAIN)) return hashes;
  for (let cursor: string | undefined; ; ) {
    const page = await listRecords(evidence, { chain: DECISION_CHAIN, limit: 1_000, cursor });
    hashes.push(...page.records.map(({ hash }) => hash));
    if (page.nextCursor === undefined) return hashes;
    cursor = page.nextCursor;
  }
}
