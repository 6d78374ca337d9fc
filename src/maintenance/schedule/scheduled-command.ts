import { hostname, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Context } from '../../platform/config/contexts.js';
import { contextFilePath } from '../../platform/config/paths.js';
import { NestctlError } from '../../platform/errors.js';
import type { MaintenanceJob, Period } from '../../platform/maintenance/index.js';
import { packageRoot } from '../../platform/package-root.js';
import { crontab } from './crontab.js';
import { systemdUnits } from './systemd.js';
import { type ScheduledCommand, timings } from './timing.js';

export interface ScheduledJob {
  readonly job: string;
  readonly summary: string;
  readonly period: Period;
  /** False: promised, but this nestctl has no job for it, so that nothing is scheduled. */
  readonly scheduled: boolean;
  readonly minute: number | null;
  /** Null: every hour, or never. */
  readonly hour: number | null;
}

export interface ScheduleFile {
  readonly path: string;
  readonly text: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * How this very nestctl is run by a timer: by absolute paths, with the context file and data folder in use here.
 * Throws `usage` for what no crontab or unit can hold.
 */
export function scheduledCommand(
  context: Context,
  options: { readonly user?: string | undefined; readonly zone: string; readonly environmentFile: string },
  env: NodeJS.ProcessEnv = process.env,
): ScheduledCommand {
  const { environmentFile, zone } = options;
  const command = {
    program: [process.execPath, join(packageRoot(), 'bin', 'run.js')],
    context: context.name,
    zone,
    user: options.user ?? userInfo().username,
    environment: {
      PATH,
      TZ: zone,
      NESTCTL_CONFIG: contextFilePath(env),
      ...(env.NESTCTL_HOME ? { NESTCTL_HOME: env.NESTCTL_HOME } : {}),
      NESTCTL_REASON: env.NESTCTL_REASON || 'scheduled maintenance',
      ...(env.NESTCTL_TICKET ? { NESTCTL_TICKET: env.NESTCTL_TICKET } : {}),
    },
    environmentFile,
  };
  if (!isAbsolute(environmentFile)) throw unfit('--environment-file: give an absolute path.');
  const texts = [...command.program, command.user, environmentFile, ...Object.values(command.environment)];
  if (texts.some((one) => /\p{Cc}/u.test(one))) throw unfit('A path or setting holds a control character.');
  if (texts.some((one) => one.includes('"') && one.includes("'"))) {
    throw unfit('A path or setting holds both kinds of quotes, which no crontab can.');
  }
  return command;
}

/** Every promise with its time, and the files for a scheduler. */
export function describeSchedule(
  jobs: readonly MaintenanceJob[],
  command: ScheduledCommand,
  scheduler?: 'crontab' | 'systemd',
): { readonly jobs: ScheduledJob[]; readonly files: ScheduleFile[] } {
  const machine = hostname();
  const times = new Map(timings(jobs, machine).map((one) => [one.job, one]));
  const files =
    scheduler === 'crontab'
      ? [{ path: 'crontab', text: crontab(jobs, command, machine) }]
      : scheduler === 'systemd'
        ? systemdUnits(jobs, command, machine).map(({ name, text }) => ({
            path: join('/etc/systemd/system', name),
            text,
          }))
        : [];
  return {
    jobs: jobs.map(({ name, summary, period }) => {
      const time = times.get(name);
      return {
        job: name,
        summary,
        period,
        scheduled: time !== undefined,
        minute: time?.minute ?? null,
        hour: time?.hour ?? null,
      };
    }),
    files,
  };
}

function unfit(message: string): NestctlError {
  return new NestctlError(message, { kind: 'usage', code: 'unfit_for_schedule' });
}
