import type { Connection } from '../platform/database/connection.js';
import type { MaintenanceJob, Period } from '../platform/maintenance/index.js';
import { dueAt, type Run, type State, stateOf } from './job-state.js';
import { readHistory } from './read-history.js';

export interface JobStatus {
  readonly job: string;
  readonly summary: string;
  readonly period: Period;
  readonly state: State;
  /** When the newest run that looked began. */
  readonly last_good_at: Date | null;
  /** When it is to run next; null where that is at once, or never since there is no job for it. */
  readonly due_at: Date | null;
  readonly last: Omit<Run, 'job'> | null;
}

/** Every job and promise with its last run and what is to be thought of it. Any duty reads it. */
export async function maintenanceStatus(
  connection: Connection,
  jobs: readonly MaintenanceJob[],
): Promise<JobStatus[]> {
  const history = await readHistory(connection, jobs);
  return jobs.map((job) => {
    const of = history.of(job);
    const { job: _, ...last } = of.last ?? { job: null };
    return {
      job: job.name,
      summary: job.summary,
      period: job.period,
      state: stateOf(job, of, history.now),
      last_good_at: of.good_at,
      due_at: dueAt(job, of),
      last: of.last === null ? null : (last as Omit<Run, 'job'>),
    };
  });
}
