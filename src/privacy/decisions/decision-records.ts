import { type Evidence, listRecords } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { DECISION_CHAIN, DECISION_RECORD, type EnteredDecision } from './decision.js';

/** A record of the ledger of decisions, as it was signed: nothing here is verified. */
export interface DecisionRecord {
  /** chain/number. */
  readonly record: string;
  /** SHA-256, hex. */
  readonly hash: string;
  readonly decisions: readonly EnteredDecision[];
}

/**
 * The records of the ledger here of which the database does not know, the oldest first: what they say was decided after the
 * point to which it was restored.
 */
export async function unknownRecords(session: Session, evidence: Evidence): Promise<DecisionRecord[]> {
  const known = await knownRecords(session);
  const unknown: DecisionRecord[] = [];
  if (!(await evidence.store.chains()).includes(DECISION_CHAIN)) return unknown;
  for (let cursor: string | undefined; ; ) {
    const page = await listRecords(evidence, {
      chain: DECISION_CHAIN,
      type: DECISION_RECORD,
      limit: 100,
      cursor,
    });
    for (const { id, hash, record } of page.records) {
      if (known.has(hash) || record === null) continue;
      const { decisions } = record.content as { decisions: EnteredDecision[] };
      unknown.unshift({ record: id, hash, decisions });
    }
    if (page.nextCursor === undefined) return unknown;
    cursor = page.nextCursor;
  }
}

/** The records that the database knows all of, by their hash. */
export async function knownRecords(session: Session): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<{ sha256: string; record: string }>(
    'select sha256, record from privacy.decision_records',
  );
  return new Map(rows.map(({ sha256, record }) => [sha256, record]));
}
