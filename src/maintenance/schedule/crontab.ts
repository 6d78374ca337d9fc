import type { MaintenanceJob } from '../../platform/maintenance/index.js';
import { notBuilt, type ScheduledCommand, timings, words } from './timing.js';

/** A crontab of one user (no column for the user). */
export function crontab(jobs: readonly MaintenanceJob[], command: ScheduledCommand, machine: string): string {
  const { context, zone, environmentFile, environment } = command;
  const file = shellWord(environmentFile);
  const lines = timings(jobs, machine).flatMap(({ job, summary, period, minute, hour }) => [
    `# ${job}, ${period}: ${summary}`,
    `${minute} ${hour ?? '*'} * * * ${cronText(
      `if [ -r ${file} ]; then set -a; . ${file}; set +a; fi; exec ${words(command, job).map(shellWord).join(' ')}`,
    )}`,
  ]);
  return [
    `# Maintenance of the context "${context}", printed by nestctl maintenance schedule.`,
    '# A job runs when it is due; what is monthly or quarterly is asked for each day, so that a run that was missed',
    '# or failed is made up for. Nothing is printed, and so nothing mailed, where all went well.',
    `# Secrets belong in ${environmentFile} (mode 0600), as NAME='value' lines.`,
    'SHELL=/bin/sh',
    "# cronie reads CRON_TZ; Debian's cron keeps to the zone of the system.",
    `CRON_TZ=${zone}`,
    ...Object.entries(environment).map(([name, value]) => `${name}=${cronValue(value)}`),
    '',
    ...lines,
    ...notBuilt(jobs),
    '',
  ].join('\n');
}

/** In the command of a line cron takes % for a line break. */
function cronText(text: string): string {
  return text.replaceAll('%', '\\%');
}

/** The value of a variable: nothing in it is expanded, and quotes of one kind keep blanks. */
function cronValue(value: string): string {
  if (/^[\w./:@+-]+$/.test(value)) return value;
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

function shellWord(word: string): string {
  return /^[\w./:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
