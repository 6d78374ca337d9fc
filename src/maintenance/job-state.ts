import { type MaintenanceJob, PERIODS } from '../platform/maintenance/index.js';

/** A run as ops.maintenance_runs keeps it. */
export interface Run {
  readonly job: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly outcome: 'done' | 'finding' | 'unknown' | 'failed' | 'abandoned' | null;
  readonly detail: string | null;
  readonly counts: Readonly<Record<string, number | string>>;
  readonly error_code: string | null;
  readonly run_by: string;
  readonly duty: string;
  readonly host: string;
  readonly server: string;
}

/** What is known of a job. */
export interface JobHistory {
  /** The newest run; null where there was none. */
  readonly last: Run | null;
  /** When the newest run that looked (`done`, `finding`) began. */
  readonly good_at: Date | null;
  /** Whether a session holds the lock of maintenance, without which nothing runs. */
  readonly locked: boolean;
}

/**
 * `absent`: promised, but this nestctl cannot do it; `never`: it has not run yet. Neither is a pass, nor is
 * `unknown`.
 */
export type State = 'ok' | 'finding' | 'unknown' | 'missed' | 'failed' | 'never' | 'running' | 'absent';

export function stateOf(job: MaintenanceJob, { last, good_at, locked }: JobHistory, now: Date): State {
  if (job.run === undefined) return 'absent';
  if (last === null) return 'never';
  if (last.outcome === null) return locked ? 'running' : 'failed';
  if (last.outcome === 'failed' || last.outcome === 'abandoned') return 'failed';
  if (good_at === null) return 'unknown';
  if (now.getTime() - good_at.getTime() > PERIODS[job.period] + job.tolerance) return 'missed';
  return last.outcome === 'done' ? 'ok' : last.outcome;
}

/** When a job is to run next; null where it is at once, or never since it cannot. */
export function dueAt(job: MaintenanceJob, { last, good_at }: JobHistory): Date | null {
  if (job.run === undefined || good_at === null) return null;
  // What failed or could not look is tried again at the next opportunity.
  if (last?.outcome !== 'done' && last?.outcome !== 'finding') return null;
  // Timers are never exact: an hourly job that began late must not skip the next hour.
  const slack = Math.min(PERIODS[job.period] / 10, 3_600_000);
  return new Date(good_at.getTime() + PERIODS[job.period] - slack);
}

export function isDue(job: MaintenanceJob, history: JobHistory, now: Date): boolean {
  if (job.run === undefined) return false;
  const due = dueAt(job, history);
  return due === null || due <= now;
}
