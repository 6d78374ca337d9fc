import type { Context } from '../config/contexts.js';
import type { Session } from '../database/session.js';

export type Period = 'hourly' | 'daily' | 'monthly' | 'quarterly';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds; of a month and a quarter the longest. */
export const PERIODS: Readonly<Record<Period, number>> = {
  hourly: HOUR,
  daily: DAY,
  monthly: 31 * DAY,
  quarterly: 92 * DAY,
};

/** What came of a job. `finding`: it ran, and what it looks after is not right; `unknown`: it could not look. */
export interface JobResult {
  readonly outcome: 'done' | 'finding' | 'unknown';
  /** One sentence without personal data: it is kept, and shown in `doctor`. */
  readonly detail: string;
  readonly counts?: Readonly<Record<string, number | string>>;
}

export interface JobWork {
  /** A session of the job's own, under the duty that runs maintenance. */
  readonly session: Session;
  readonly context: Context;
  /** Aborted when the job's time is over, or when the person interrupts. */
  readonly signal: AbortSignal;
}

/** Something that must be done again and again. Each domain names its own. */
export interface MaintenanceJob {
  /** Kebab-case; kept in ops.maintenance_runs. */
  readonly name: string;
  /** What it does, or what of the product's promises it keeps. */
  readonly summary: string;
  readonly period: Period;
  /** Milliseconds beyond its period after which it counts as missed. */
  readonly tolerance: number;
  /** Longest run, milliseconds. */
  readonly limit: number;
  /** Safe to run again at any time. Absent: promised, but this nestctl cannot do it yet. */
  readonly run?: (work: JobWork) => Promise<JobResult>;
}
