import type { Connection } from '../platform/database/connection.js';
import { type Finding, finding, type Level } from '../platform/doctor/index.js';
import type { MaintenanceJob } from '../platform/maintenance/index.js';
import type { State } from './job-state.js';
import { type JobStatus, maintenanceStatus } from './maintenance-status.js';

const LEVELS: Readonly<Record<State, Level>> = {
  ok: 'ok',
  running: 'info',
  absent: 'unknown',
  unknown: 'unknown',
  never: 'warning',
  finding: 'error',
  missed: 'error',
  failed: 'error',
};

/** What is missed, failed, never run or not known, as findings. Any duty reads it. */
export async function checkMaintenance(
  connection: Connection,
  jobs: readonly MaintenanceJob[],
): Promise<Finding[]> {
  return maintenanceFindings(await maintenanceStatus(connection, jobs));
}

export function maintenanceFindings(status: readonly JobStatus[]): Finding[] {
  const built = status.filter(({ state }) => state !== 'absent');
  const none = built.every(({ state }) => state === 'never');
  const shown = none ? status.filter(({ state }) => state === 'absent') : status;
  return [
    ...(none
      ? [finding('maintenance', 'warning', `none of its ${built.length} jobs has ever run`, { remedy: RUN })]
      : []),
    ...shown.map((one) => {
      const mend = one.state === 'missed' || one.state === 'failed' || one.state === 'never';
      return finding('maintenance', LEVELS[one.state], describe(one), {
        object: one.job,
        ...(mend ? { remedy: `${RUN} --job ${one.job}` } : {}),
      });
    }),
  ];
}

const RUN = `nestctl maintenance run --reason 'make up for what was missed'`;

function describe({ state, period, last, last_good_at: good, summary }: JobStatus): string {
  const at = last?.started_at.toISOString() ?? '';
  switch (state) {
    case 'absent':
      return `not there yet: promised (${summary}), but this nestctl has no job for it`;
    case 'never':
      return `has never run, and is to run ${period}`;
    case 'running':
      return `${last?.run_by} on ${last?.host} has been running it since ${at}`;
    case 'missed':
      return `missed: it is to run ${period}, and last did ${good?.toISOString()}`;
    case 'failed':
      return `failed ${at}: ${last?.detail ?? 'the console that ran it went away'}`;
    default:
      return last?.detail ?? '';
  }
}
