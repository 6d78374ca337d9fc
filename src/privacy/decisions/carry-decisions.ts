import { openEvidence } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { JobResult } from '../../platform/maintenance/index.js';
import { unknownRecords } from './decision-records.js';
import { enterDecisions } from './enter-decisions.js';

/** What keeps decisions from being signed: somebody has to make a key first. */
const KEYLESS: Readonly<Record<string, string>> = {
  no_ledger_key: 'nestctl evidence key create --for ledger',
  no_signing_key: 'nestctl evidence key create',
};

/** The job that enters decisions into the ledger, and notices a database that was restored to before some of them. */
export async function carryDecisions(
  session: Session,
  context: Context,
  signal: AbortSignal,
): Promise<JobResult> {
  try {
    const entered = await enterDecisions(session, context, signal);
    const unknown = (await unknownRecords(session, openEvidence(context))).reduce(
      (sum, { decisions }) => sum + decisions.length,
      0,
    );
    const counts = { entered, unknown };
    if (unknown > 0)
      return {
        outcome: 'finding',
        detail: `${decisions(unknown)} in the ledger and not in this database, which was restored to before: nestctl erasure replay --after-restore`,
        counts,
      };
    return {
      outcome: 'done',
      detail: entered === 0 ? 'none waits' : `${decisions(entered)} entered`,
      counts,
    };
  } catch (error) {
    const make = error instanceof NestctlError ? KEYLESS[error.code] : undefined;
    if (make === undefined) throw error;
    const { waiting } = await session.one<{ waiting: number }>(
      'select waiting::int from ops.decisions_waiting()',
    );
    return {
      outcome: 'finding',
      detail: `${decisions(waiting)} in no ledger, and would be lost with a restore: ${make}`,
      counts: { waiting },
    };
  }
}

const decisions = (count: number) => (count === 1 ? 'a decision is' : `${count} decisions are`);
