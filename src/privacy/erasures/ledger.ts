import {
  type ChainReport,
  openEvidence,
  shareChain,
  verifyCarried,
  verifyEvidence,
  withCarrier,
} from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { checkDecisions, type DecisionCheck } from '../decisions/check-decisions.js';
import { DECISION_CHAIN } from '../decisions/decision.js';
import { LEDGER_CHAIN, ledgerRecords } from './ledger-record.js';

/** An erasure as the ledger has it. */
export interface EnteredErasure {
  /** The signed record, chain/number. */
  readonly record: string;
  readonly request: string;
  readonly erasure: string;
  readonly ground: string;
  readonly scheduled: string;
  readonly entered_at: Date;
  readonly entered_by: string;
  readonly families: number;
  /** By how many keyed hashes its people are known again. */
  readonly identifiers: number;
  /** What the database says: the same; another, of the same id; or unknown, as after a restore to before it. */
  readonly database: 'same' | 'differs' | 'unknown';
}

export interface LedgerCheck {
  /** The chain here, and the one that was carried, where the context names an object store. */
  readonly chains: readonly ChainReport[];
  readonly entries: readonly EnteredErasure[];
  /** Erasures of the database that say they stand in the ledger, and do not: by their request. */
  readonly missing: readonly string[];
  readonly decisions: DecisionCheck;
}

/** The ledger, the newest entry first. What other consoles of the context entered is fetched from its object store. */
export async function readLedger(session: Session, context: Context): Promise<EnteredErasure[]> {
  return (await compare(session, context)).entries;
}

/**
 * Verifies the ledger: each record as it was signed, none gone, here and where it is locked; and against the database, which
 * may have been restored to before an erasure, or say that it erased somebody of whom the ledger knows nothing.
 */
export async function verifyLedger(session: Session, context: Context): Promise<LedgerCheck> {
  const compared = await compare(session, context);
  const evidence = openEvidence(context);
  const carried =
    context.object_store === undefined
      ? undefined
      : await withCarrier(context, (carrier) => verifyCarried(evidence, carrier));
  const here = await evidence.store.chains();
  const begun = CHAINS.filter((chain) => here.includes(chain));
  const heads = carried === undefined ? [] : [carried.heads];
  const chains = begun.length > 0 ? await verifyEvidence(evidence, { only: begun, heads }) : [];
  const there = carried?.chains.filter(({ chain }) => CHAINS.includes(chain)) ?? [];
  return { ...compared, chains: [...chains, ...there], decisions: await checkDecisions(session, evidence) };
}

const CHAINS: readonly string[] = [LEDGER_CHAIN, DECISION_CHAIN];

async function compare(
  session: Session,
  context: Context,
): Promise<{ entries: EnteredErasure[]; missing: string[] }> {
  const evidence = openEvidence(context);
  for (const chain of CHAINS) await shareChain(evidence, context, chain);
  const known = await session.query<{ id: string; request: string; ledger: string }>(
    'select coalesce(replays, id) as id, request, ledger from privacy.erasures where ledger is not null order by scheduled_at',
  );
  const here = new Map(known.map((erasure) => [erasure.id, erasure]));
  const entries = (await ledgerRecords(evidence)).map(
    ({ record, made_at, made_by, envelope, content }): EnteredErasure => {
      const said = here.get(content.erasure);
      here.delete(content.erasure);
      return {
        record,
        ...{ request: content.request, erasure: content.erasure, ground: content.ground },
        ...{ scheduled: content.scheduled, families: content.families },
        ...{ entered_at: made_at, entered_by: made_by },
        identifiers: content.identifiers.length,
        database: said === undefined ? 'unknown' : said.ledger === envelope ? 'same' : 'differs',
      };
    },
  );
  return { entries, missing: [...here.values()].map(({ request }) => request) };
}
