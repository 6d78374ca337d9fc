import { createHash } from 'node:crypto';
import type { MaintenanceJob, Period } from '../../platform/maintenance/index.js';

/** When a timer asks for a job. */
export interface Timing {
  readonly job: string;
  readonly summary: string;
  readonly period: Period;
  readonly minute: number;
  /** Undefined: every hour. */
  readonly hour: number | undefined;
}

/** What every scheduled run needs to know. Paths are absolute; nothing in it is secret. */
export interface ScheduledCommand {
  /** The program with its first arguments, such as node and the path of nestctl. */
  readonly program: readonly string[];
  readonly context: string;
  /** IANA name. */
  readonly zone: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  /** A file of NAME='value' lines for secrets; it may be absent. */
  readonly environmentFile: string;
}

/**
 * When jobs are to be asked for: hourly ones each hour, all others each day, since they run only when due and one
 * that was missed or failed is then made up for. Spread over minutes by machine and job, always the same.
 */
export function timings(jobs: readonly MaintenanceJob[], machine: string): Timing[] {
  return jobs
    .filter(({ run }) => run !== undefined)
    .map(({ name, summary, period }) => {
      const spread = createHash('sha256').update(`${machine} ${name}`).digest();
      return {
        job: name,
        summary,
        period,
        minute: spread.readUInt16BE(0) % 60,
        // After the hours that daylight saving skips or repeats.
        hour: period === 'hourly' ? undefined : 3 + (spread.readUInt16BE(2) % 3),
      };
    });
}

/** The words that run one job, if it is due, without a terminal. */
export function words({ program, context }: ScheduledCommand, job: string): string[] {
  return [
    ...program,
    'maintenance',
    'run',
    '--context',
    context,
    '--due',
    '--quiet',
    '--wait',
    '15m',
    '--job',
    job,
  ];
}

/** The promises that no timer can keep yet, as comments. */
export function notBuilt(jobs: readonly MaintenanceJob[]): string[] {
  return jobs
    .filter(({ run }) => run === undefined)
    .map(
      ({ name, period, summary }) =>
        `# ${name}, ${period} (${summary}): not there yet, so nothing is scheduled and its state is unknown.`,
    );
}
