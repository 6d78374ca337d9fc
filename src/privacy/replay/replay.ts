import { appendShared, openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type LostLook, type LostOptions, lookForLost } from '../decisions/look-for-lost.js';
import { type DecisionReplay, replayDecisions } from '../decisions/replay-decisions.js';
import { verifyLedger } from '../erasures/ledger.js';
import { LEDGER_CHAIN } from '../erasures/ledger-record.js';
import type { RunOptions } from '../erasures/run-erasure.js';
import { countStates, type Look, type LookOptions, lookForReturned } from './look-for-returned.js';
import { type Replayed, replayErasures } from './replay-erasures.js';

export interface ReplayPlan {
  /** Who has come back; undefined where the ledger of this console knows of nobody. */
  readonly look: Look | undefined;
  /** Which decisions are lost; undefined where the database knows all that the ledger here does. */
  readonly lost: LostLook | undefined;
  /** What the database says was entered and stands in no record here: this console has not the whole ledger. */
  readonly missing: readonly string[];
}

export interface Replay {
  /** What was found after it. */
  readonly look: Look | undefined;
  readonly lost: LostLook | undefined;
  readonly replayed: readonly Replayed[];
  /** Undefined where no decision was lost. */
  readonly decisions: DecisionReplay | undefined;
  /** The signed record of it, chain/number. */
  readonly record: string;
}

export type ReplayOptions = RunOptions &
  Pick<LookOptions, 'signal' | 'onPage'> &
  Pick<LostOptions, 'leaveOut'>;

export const REPLAY_RECORD = 'erasure-replay';

/**
 * What a restore has undone: who was erased and is back, and which decisions are lost. Throws `ledger_tampered` where a ledger
 * is not as it was signed, `not_found` where a transaction that is left out has decided nothing that is lost, and what
 * `lookForReturned` does.
 */
export async function planReplay(
  session: Session,
  context: Context,
  options: ReplayOptions,
): Promise<ReplayPlan> {
  const { chains, missing, decisions } = await verifyLedger(session, context);
  if (chains.some(({ faults }) => faults.length > 0)) {
    throw new NestctlError('The ledger is not as it was signed: nothing is done by it.', {
      kind: 'conflict',
      code: 'ledger_tampered',
      next: 'nestctl erasure ledger verify',
    });
  }
  const look = await lookForReturned(session, context, options);
  const lost = await lookForLost(session, context, options);
  const idle = (options.leaveOut ?? []).find((transaction) => (lost?.left_out[transaction] ?? 0) === 0);
  if (idle !== undefined)
    throw new NestctlError(`Transaction ${idle} has decided nothing that is lost.`, {
      kind: 'not_found',
      code: 'no_decision',
      next: 'nestctl erasure replay --after-restore --dry-run',
    });
  return { look, lost, missing: [...missing, ...decisions.missing] };
}

/**
 * Takes again the decisions that are lost, and erases again whoever is back, under a second operator's approvals; looks again;
 * and signs what came of it. A replay without approval files the requests.
 */
export async function replayLost(
  session: Session,
  context: Context,
  { look, lost }: ReplayPlan,
  options: ReplayOptions,
): Promise<Replay> {
  // First, for a hold that was placed is a gate, and who was removed must not read on meanwhile.
  const judged = lost !== undefined && lost.records.length + lost.lost.length > 0;
  const decisions = judged ? await replayDecisions(session, lost) : undefined;
  const replayed = look === undefined ? [] : await replayErasures(session, context, look, options);
  const returned =
    (replayed.length === 0 ? undefined : await lookForReturned(session, context, options)) ?? look;
  const changed = decisions !== undefined && decisions.approval === null;
  const left = changed ? await lookForLost(session, context, options) : lost;
  const evidence = openEvidence(context);
  const { record } = await appendShared(evidence, context, {
    ...{ chain: LEDGER_CHAIN, type: REPLAY_RECORD },
    subject: [subjectOf(look ?? lost)],
    content: {
      ...(returned && { look: returned.id, accounts: returned.accounts, entries: returned.returned.length }),
      found: countStates(returned?.returned ?? []),
      replayed: replayed.map(({ record: entry, outcome }) => ({ record: entry, outcome })),
      ...(lost &&
        decisions && {
          decisions: {
            records: lost.records.map((each) => each.record),
            lost: lost.lost.length,
            taken: decisions.taken,
            refused: decisions.refused.length,
            left_out: lost.left_out,
            still_lost: left?.lost.length ?? 0,
          },
        }),
    },
  });
  return { look: returned, lost: left, replayed, decisions, record: `${record.chain}/${record.number}` };
}

function subjectOf(looked: Look | LostLook | undefined) {
  if (looked === undefined) throw new Error('a replay of nothing');
  return { name: looked.head.record, sha256: looked.head.sha256 };
}
