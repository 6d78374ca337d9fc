import { createHash } from 'node:crypto';
import sql from 'sql-template-tag';
import { appendShared, type Ledger, openEvidence, openLedger, shareChain } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import {
  DECISION_CHAIN,
  DECISION_PURPOSE,
  DECISION_RECORD,
  type DecisionKind,
  type DecisionState,
  type EnteredDecision,
  spelledRow,
} from './decision.js';
import { unknownRecords } from './decision-records.js';

/** Decisions of one record. */
const PAGE = 500;

interface Noted {
  readonly id: string;
  readonly kind: DecisionKind;
  readonly key: readonly string[];
  readonly state: DecisionState;
  readonly epoch: number;
  readonly xid: string;
  readonly made_at: string;
}

/**
 * Enters what was decided since the last time into the ledger of decisions, which outlives a restore of the database, and
 * returns how many there were. Killed at any moment, the next call finds the record that was signed, and enters nothing
 * twice. Throws `no_ledger_key`, and what `appendShared` does.
 */
export async function enterDecisions(
  session: Session,
  context: Context,
  signal?: AbortSignal,
): Promise<number> {
  const evidence = openEvidence(context);
  if ((await page(session, 1)).length === 0) return 0;
  await shareChain(evidence, context, DECISION_CHAIN);
  await knowSigned(session, context);
  const ledger = await openLedger(evidence, DECISION_PURPOSE);
  for (let entered = 0; ; ) {
    signal?.throwIfAborted();
    const noted = await page(session, PAGE);
    if (noted.length === 0) return entered;
    const decisions = noted.map((decision) => entry(ledger, decision));
    const { record, hash } = await appendShared(evidence, context, {
      ...{ chain: DECISION_CHAIN, type: DECISION_RECORD },
      subject: [{ name: `decisions until ${noted.at(-1)?.made_at}`, sha256: sha256(decisions) }],
      content: { decisions },
    });
    await enter(
      session,
      noted.map(({ id }) => id),
      `${record.chain}/${record.number}`,
      hash,
    );
    entered += noted.length;
  }
}

const page = (session: Session, wanted: number) =>
  session.query<Noted>(sql`select * from ops.decisions_to_enter(${wanted}::integer)`);

const sha256 = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

const enter = (session: Session, ids: readonly string[], record: string, hash: string) =>
  session.query(sql`select ops.enter_decisions(${ids}::uuid[], ${record}, ${hash})`);

/** A record whose decisions all wait here still was signed by a run that was cut off, or by one after what was restored. */
async function knowSigned(session: Session, context: Context): Promise<void> {
  for (const { record, hash, decisions } of await unknownRecords(session, openEvidence(context))) {
    const ids = decisions.map(({ id }) => id);
    const { known } = await session.one<{ known: string[] }>(
      sql`select ops.decisions_known(${ids}::uuid[]) as known`,
    );
    if (known.length === ids.length) await enter(session, ids, record, hash);
  }
}

function entry(ledger: Ledger, { id, kind, key, state, epoch, xid, made_at }: Noted): EnteredDecision {
  const said = { id, kind, ...ledger.entry(spelledRow(kind, key)), epoch, xid, made_at };
  if (kind !== 'hold') return { ...said, state };
  // A hold that is lost has no row by whose key it would be known: what it holds is.
  const [of = '', subject = ''] = state.subject as [string, string];
  return {
    ...said,
    number: key[0] ?? '',
    state: { ...state, subject: [of, ledger.entry(spelledRow(of, [subject]))] },
  };
}
