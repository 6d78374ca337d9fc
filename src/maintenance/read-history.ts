import sql from 'sql-template-tag';
import type { Connection } from '../platform/database/connection.js';
import { lockHolders, MAINTENANCE_LOCK } from '../platform/database/session-lock.js';
import type { MaintenanceJob } from '../platform/maintenance/index.js';
import type { JobHistory, Run } from './job-state.js';

export interface History {
  /** By the server's clock, which stamps the runs too. */
  readonly now: Date;
  of(job: MaintenanceJob): JobHistory;
}

/** The last run of every job. Any duty reads it. */
export async function readHistory(connection: Connection, jobs: readonly MaintenanceJob[]): Promise<History> {
  const names = jobs.map(({ name }) => name);
  const rows = await connection.query<{ job: string; now: Date; last: Run | null; good_at: Date | null }>(sql`
    select j.job, clock_timestamp() as now, to_jsonb(l) as last, g.started_at as good_at
    from unnest(${names}::text[]) j (job)
      left join lateral (
        select r.job, r.started_at, r.ended_at, r.outcome, r.detail, r.counts, r.error_code, r.run_by, r.duty, r.host, r.server
        from ops.maintenance_runs r where r.job = j.job order by r.started_at desc limit 1) l on true
      left join lateral (
        select r.started_at from ops.maintenance_runs r
        where r.job = j.job and r.outcome in ('done', 'finding') order by r.started_at desc limit 1) g on true`);
  const locked = (await lockHolders(connection, MAINTENANCE_LOCK)).length > 0;
  const known = new Map(rows.map((row) => [row.job, row]));
  return {
    now: rows[0]?.now ?? new Date(),
    of: ({ name }) => {
      const row = known.get(name);
      return { last: row?.last ? fromJson(row.last) : null, good_at: row?.good_at ?? null, locked };
    },
  };
}

function fromJson(run: Run): Run {
  const date = (value: unknown) => (value === null ? null : new Date(value as string));
  return { ...run, started_at: date(run.started_at) as Date, ended_at: date(run.ended_at) };
}
