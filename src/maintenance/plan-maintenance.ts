import type { Connection } from '../platform/database/connection.js';
import { NestctlError } from '../platform/errors.js';
import type { MaintenanceJob } from '../platform/maintenance/index.js';
import { isDue, type State, stateOf } from './job-state.js';
import { readHistory } from './read-history.js';

export interface MaintenanceWish {
  /** Only these; every job when absent. */
  readonly names?: readonly string[] | undefined;
  /** Only those whose time has come. */
  readonly due: boolean;
}

export interface PlannedJob {
  readonly job: string;
  readonly summary: string;
  readonly state: State;
  readonly last_good_at: Date | null;
}

/** What would be run, in order. Throws `unknown_job`, and `job_not_built` for a promise that has no job yet. */
export async function planMaintenance(
  connection: Connection,
  jobs: readonly MaintenanceJob[],
  wish: MaintenanceWish,
): Promise<PlannedJob[]> {
  const history = await readHistory(connection, jobs);
  return chosenJobs(jobs, wish.names)
    .filter((job) => !wish.due || isDue(job, history.of(job), history.now))
    .map((job) => ({
      job: job.name,
      summary: job.summary,
      state: stateOf(job, history.of(job), history.now),
      last_good_at: history.of(job).good_at,
    }));
}

function chosenJobs(
  jobs: readonly MaintenanceJob[],
  names: readonly string[] | undefined,
): readonly MaintenanceJob[] {
  if (names === undefined) return jobs.filter(({ run }) => run !== undefined);
  return [...new Set(names)].map((name) => {
    const job = jobs.find((one) => one.name === name);
    if (job === undefined) {
      throw new NestctlError(`There is no maintenance job "${name}".`, {
        kind: 'usage',
        code: 'unknown_job',
        hint: `There are: ${jobs.map((one) => one.name).join(', ')}.`,
      });
    }
    if (job.run === undefined) {
      throw new NestctlError(`This nestctl has no job yet for "${name}" (${job.summary}).`, {
        kind: 'conflict',
        code: 'job_not_built',
        hint: 'It is promised, but nobody keeps the promise here: its state is unknown.',
        next: 'nestctl maintenance status',
      });
    }
    return job;
  });
}
