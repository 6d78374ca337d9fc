import type { Session } from '../platform/database/session.js';
import type { JobResult, MaintenanceJob } from '../platform/maintenance/index.js';

const DAY = 86_400_000;

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
    name: 'audit-partitions',
    summary: 'partitions of the audit log for this month and the next three',
    period: 'daily',
    // A month is always ahead, so that a week without this loses nothing.
    tolerance: 6 * DAY,
    limit: 5 * 60_000,
    run: async ({ session }) => await preparePartitions(session),
  },
];

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
