import type { MaintenanceJob } from '../../platform/maintenance/index.js';
import { notBuilt, type ScheduledCommand, type Timing, timings, words } from './timing.js';

/** One file of /etc/systemd/system. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** One service for every job, started as an instance, and a timer for each. */
export function systemdUnits(
  jobs: readonly MaintenanceJob[],
  command: ScheduledCommand,
  machine: string,
): UnitFile[] {
  const base = `nestctl-${command.context}`;
  return [
    { name: `${base}@.service`, text: service(jobs, command) },
    ...timings(jobs, machine).map((timing) => ({
      name: `${base}-${timing.job}.timer`,
      text: timer(timing, command, `${base}@${timing.job}.service`),
    })),
  ];
}

function service(jobs: readonly MaintenanceJob[], command: ScheduledCommand): string {
  const { context, user, environment, environmentFile } = command;
  // The name of the job comes from the timer's instance.
  const start = words(command, '').slice(0, -1);
  return unit([
    ...notBuilt(jobs),
    '[Unit]',
    `Description=nestctl maintenance of ${specifierFree(context)}: %i`,
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    'Type=oneshot',
    `User=${specifierFree(user)}`,
    'UMask=0077',
    ...Object.entries(environment).map(
      ([name, value]) => `Environment=${quoted(`${name}=${value}`, 'value')}`,
    ),
    `# Secrets, as NAME='value' lines, mode 0600.`,
    `EnvironmentFile=-${specifierFree(environmentFile)}`,
    `ExecStart=${start.map((word) => quoted(word, 'command')).join(' ')} %i`,
  ]);
}

function timer(
  { period, minute, hour, summary }: Timing,
  { zone }: ScheduledCommand,
  service: string,
): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const asked =
    period === 'hourly' || period === 'daily'
      ? []
      : [
          `# ${period}: asked for each day and run when due, so that a run that was missed or failed is made up for.`,
        ];
  return unit([
    ...asked,
    '[Unit]',
    `Description=nestctl maintenance, ${period}: ${specifierFree(summary)}`,
    '',
    '[Timer]',
    `OnCalendar=*-*-* ${hour === undefined ? '*' : two(hour)}:${two(minute)}:00 ${zone}`,
    // Less than what a run may be early by and still be due.
    `RandomizedDelaySec=${period === 'hourly' ? '4min' : '30min'}`,
    '# What was missed while the machine was off is run when it is up again.',
    'Persistent=true',
    `Unit=${service}`,
    '',
    '[Install]',
    'WantedBy=timers.target',
  ]);
}

function unit(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** % begins a specifier everywhere. */
function specifierFree(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A word of a command or an assignment. $ stands for a variable in commands only. */
function quoted(word: string, place: 'command' | 'value'): string {
  const safe = specifierFree(place === 'command' ? word.replaceAll('$', () => '$$') : word);
  return /^[\w./:@+=%$-]+$/.test(safe) ? safe : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
