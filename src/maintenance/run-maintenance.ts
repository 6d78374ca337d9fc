import { hostname } from 'node:os';
import sql from 'sql-template-tag';
import type { Context } from '../platform/config/contexts.js';
import type { Session, SessionPool } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { MaintenanceJob } from '../platform/maintenance/index.js';
import { withMaintenanceLock } from './maintenance-lock.js';
import { type MaintenanceWish, planMaintenance } from './plan-maintenance.js';
import { type Attempt, runJob } from './run-job.js';

export interface FinishedJob extends Attempt {
  readonly job: string;
  readonly started_at: Date;
  readonly ended_at: Date;
}

export interface MaintenanceOptions extends MaintenanceWish {
  readonly context: Context;
  /** Longest wait for somebody else's maintenance, milliseconds. */
  readonly patience: number;
  /** Stops the job at work and starts no other. */
  readonly signal: AbortSignal;
  /** One line on what is going on. */
  readonly tell: (message: string) => void;
}

/**
 * Runs jobs one after the other as the only maintenance of the database, and records each; one that fails does
 * not stop the others. What somebody else did while we waited is not done again where only due jobs are wished.
 * Throws `maintenance_busy`, `maintenance_failed` where not one job succeeded, and `interrupted`.
 */
export async function runMaintenance(
  pool: SessionPool,
  jobs: readonly MaintenanceJob[],
  options: MaintenanceOptions,
): Promise<FinishedJob[]> {
  const finished = await pool.use((session) =>
    withMaintenanceLock(session, options, async () => {
      const planned = await planMaintenance(session, jobs, options);
      const chosen = planned.flatMap(({ job }) => jobs.filter(({ name }) => name === job));
      const done: FinishedJob[] = [];
      for (const job of chosen) {
        if (options.signal.aborted) break;
        options.tell(`${job.name}: ${job.summary}`);
        const one = await runRecorded(session, pool, job, options);
        options.tell(`${job.name}: ${one.outcome}, ${one.detail}`);
        done.push(one);
      }
      if (options.signal.aborted) throw interrupted(done, chosen);
      return done;
    }),
  );
  const failed = finished.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0 && failed.length === finished.length) throw allFailed(failed);
  return finished;
}

async function runRecorded(
  session: Session,
  pool: SessionPool,
  job: MaintenanceJob,
  { context, signal }: MaintenanceOptions,
): Promise<FinishedJob> {
  const { id, started_at } = await session.one<{ id: string; started_at: Date }>(sql`
    select id, started_at from ops.start_maintenance(${job.name}, ${hostname()})`);
  const attempt = await runJob(session, pool, job, { context, signal });
  const { outcome, detail, counts, error_code } = attempt;
  const { ended_at } = await session.one<{ ended_at: Date }>(sql`
    select ops.end_maintenance(${id}, ${outcome}, ${detail}, ${JSON.stringify(counts)}::jsonb, ${error_code}) as ended_at`);
  return { job: job.name, ...attempt, started_at, ended_at };
}

function allFailed(failed: readonly FinishedJob[]): NestctlError {
  const what = failed.map(({ job, detail }) => `${job}: ${detail}`).join(' ');
  return new NestctlError(failed.length === 1 ? what : `No job succeeded. ${what}`, {
    kind: 'failure',
    code: 'maintenance_failed',
    next: 'nestctl maintenance status',
  });
}

function interrupted(done: readonly FinishedJob[], chosen: readonly MaintenanceJob[]): NestctlError {
  const names = (list: readonly string[]) => (list.length === 0 ? 'none' : list.join(', '));
  const ran = done.filter(({ error_code }) => error_code !== 'interrupted').map(({ job }) => job);
  const left = chosen.map(({ name }) => name).filter((name) => !ran.includes(name));
  return new NestctlError(`Interrupted. Run to their end: ${names(ran)}; not: ${names(left)}.`, {
    kind: 'interrupted',
    hint: 'What was not committed is undone. The command can be run again.',
    next: 'nestctl maintenance run',
  });
}
