import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { JobResult, JobWork, MaintenanceJob } from '../platform/maintenance/index.js';
import { reachArchives } from './archive/reach-archives.js';
import { dueMonths } from './retention/plan-retention.js';
import { sealAndCarry } from './seal/seal-and-carry.js';
import { sealStatus } from './seal/seal-status.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What the audit log needs again and again. */
export const auditJobs: readonly MaintenanceJob[] = [
  {
    name: 'audit-defaults',
    summary: 'events that fell into default partitions are moved to their months',
    period: 'daily',
    tolerance: 6 * DAY,
    limit: 30 * 60_000,
    run: async ({ session }) => await emptyDefaults(session),
  },
  {
    name: 'audit-erasures',
    summary: 'approved erasures reach the archives, so that no version of any object holds what they took',
    period: 'daily',
    tolerance: DAY,
    limit: 6 * HOUR,
    run: async ({ session, context, signal }) => await reachArchives(session, context, signal),
  },
  {
    name: 'audit-partitions',
    summary: 'partitions of the audit log for this month and the next three',
    period: 'daily',
    // A month is always ahead, so that a week without this loses nothing.
    tolerance: 6 * DAY,
    limit: 5 * 60_000,
    run: async ({ session }) => await preparePartitions(session),
  },
  {
    name: 'audit-retention',
    summary: 'no month of the audit log is kept beyond the years of its category',
    period: 'daily',
    tolerance: 6 * DAY,
    limit: 5 * 60_000,
    run: async ({ session }) => await lookForExpired(session),
  },
  {
    name: 'audit-seal',
    summary: 'every event has a leaf in the signed tree, whose head is carried to the object store',
    period: 'hourly',
    tolerance: 3 * HOUR,
    limit: 45 * 60_000,
    run: seal,
  },
];

/** It takes two people to destroy; a timer only says that it is time. */
async function lookForExpired(session: Session): Promise<JobResult> {
  const months = await dueMonths(session);
  const due = months.filter(({ state }) => state !== 'held');
  const held = months.length - due.length;
  const counts = { due: due.length, held };
  if (due.length > 0)
    return { outcome: 'finding', detail: `${monthsAre(due.length)} due: nestctl audit retention`, counts };
  return { outcome: 'done', detail: held === 0 ? 'none is due' : `${monthsAre(held)} held`, counts };
}

const monthsAre = (count: number) => (count === 1 ? 'a month is' : `${count} months are`);

/** Events that wait so long for an open transaction are worth a finding, milliseconds. */
const LATE = 24 * HOUR;

async function seal({ session, context, signal }: JobWork): Promise<JobResult> {
  try {
    const {
      sealed,
      size,
      left_to_carry,
      not_carried: problem,
    } = await sealAndCarry(session, context, { signal });
    const { unsealed, oldest_unsealed: oldest } = await sealStatus(session);
    const counts = { sealed, size, unsealed, left_to_carry };
    if (oldest !== null && Date.now() - oldest.getTime() > LATE) {
      const detail =
        'an open transaction has held events back for a day: nestctl audit seal --status names it';
      return { outcome: 'finding', detail, counts };
    }
    if (problem !== null)
      return { outcome: 'unknown', detail: 'sealed, but the object store was not reached', counts };
    return { outcome: 'done', detail: `${sealed} events sealed, ${size} in all`, counts };
  } catch (error) {
    if (!(error instanceof NestctlError) || !NO_KEY.has(error.code)) throw error;
    return { outcome: 'unknown', detail: `not signed: ${error.message}` };
  }
}

/** A console without the key cannot sign; another may. */
const NO_KEY = new Set(['no_signing_key', 'key_not_enrolled', 'key_retired']);

async function preparePartitions(session: Session): Promise<JobResult> {
  const made = await session.query('select ops.prepare_audit_partitions()');
  return {
    outcome: 'done',
    detail: made.length === 0 ? 'all were there' : `${made.length} made`,
    counts: { made: made.length },
  };
}

async function emptyDefaults(session: Session): Promise<JobResult> {
  const { moved, partitions } = await session.one<{ moved: number; partitions: number }>(
    'select moved::float8, partitions::int from ops.empty_audit_defaults()',
  );
  const { left } = await session.one<{ left: number }>(
    'select coalesce(sum(events), 0)::float8 as left from audit.default_partitions()',
  );
  const counts = { moved, partitions, left };
  // One that was written meanwhile is moved by the next run.
  if (left > 0)
    return { outcome: 'finding', detail: `${left} events are in default partitions still`, counts };
  return { outcome: 'done', detail: moved === 0 ? 'they hold nothing' : `${moved} events moved`, counts };
}
