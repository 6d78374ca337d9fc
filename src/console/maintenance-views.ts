import type { Outcome } from './outcome.js';
import { formatDuration } from './time/parse-duration.js';
import { type Cell, type Column, type TableView, table, toned } from './views.js';

interface Planned {
  readonly job: string;
  readonly summary: string;
  readonly state: string;
  readonly last_good_at: Date | null;
}

interface Finished {
  readonly job: string;
  readonly outcome: 'done' | 'finding' | 'unknown' | 'failed';
  readonly detail: string;
  readonly started_at: Date;
  readonly ended_at: Date;
}

interface Status extends Planned {
  readonly period: string;
  readonly due_at: Date | null;
  readonly last: { readonly detail: string | null; readonly run_by: string; readonly host: string } | null;
}

const TONES = {
  ok: 'good',
  done: 'good',
  running: 'muted',
  finding: 'bad',
  failed: 'bad',
  missed: 'bad',
  never: 'warn',
  unknown: 'unknown',
  absent: 'unknown',
} as const;

function stateCell(state: string): Cell {
  return toned(
    TONES[state as keyof typeof TONES] ?? 'unknown',
    state === 'absent' ? 'unknown: not there yet' : state,
  );
}

/** What is about to be run. */
export function planTable(jobs: readonly Planned[]): TableView {
  return table(
    jobs,
    [
      { name: 'job', value: ({ job }) => job },
      { name: 'state', value: ({ state }) => stateCell(state), keep: true },
      { name: 'last good run', value: ({ last_good_at }) => last_good_at },
      { name: 'what', value: ({ summary }) => summary },
    ],
    'Nothing is due.',
  );
}

/** What came of it. */
export function finishedTable(jobs: readonly Finished[]): TableView {
  return table(
    jobs,
    [
      { name: 'job', value: ({ job }) => job },
      { name: 'outcome', value: ({ outcome }) => stateCell(outcome), keep: true },
      { name: 'detail', value: ({ detail }) => detail, keep: true },
      {
        name: 'took',
        value: ({ started_at, ended_at }) => formatDuration(ended_at.getTime() - started_at.getTime()),
        align: 'right',
      },
    ],
    'Nothing was due.',
  );
}

export const STATUS_COLUMNS: readonly Column<Status>[] = [
  { name: 'job', value: ({ job }) => job },
  { name: 'period', value: ({ period }) => period },
  { name: 'state', value: ({ state }) => stateCell(state), raw: ({ state }) => state, keep: true },
  { name: 'last good run', value: ({ last_good_at }) => last_good_at },
  {
    name: 'due',
    value: ({ due_at, state }) => (state === 'absent' ? null : (due_at ?? 'now')),
    raw: ({ due_at }) => due_at,
  },
  { name: 'last', value: ({ last }) => last?.detail },
  {
    name: 'by',
    value: ({ last }) => (last === null ? null : `${last.run_by} on ${last.host}`),
    extra: true,
  },
  { name: 'what', value: ({ summary }) => summary, extra: true },
];

/** Every job and promise. */
export function statusTable(jobs: readonly Status[]): TableView {
  return table(jobs, STATUS_COLUMNS, 'There is no job.');
}

interface Scheduled {
  readonly job: string;
  readonly summary: string;
  readonly period: string;
  readonly scheduled: boolean;
  readonly minute: number | null;
  readonly hour: number | null;
}

/** When timers ask for which job. */
export function scheduleTable(jobs: readonly Scheduled[]): TableView {
  const two = (number: number | null) => (number === null ? '*' : String(number).padStart(2, '0'));
  return table(
    jobs,
    [
      { name: 'job', value: ({ job }) => job },
      { name: 'promise', value: ({ period }) => period },
      {
        name: 'asked at',
        value: ({ scheduled, hour, minute }) =>
          scheduled ? `${two(hour)}:${two(minute)}` : toned('unknown', 'unknown: not there yet'),
        keep: true,
      },
      { name: 'what', value: ({ summary }) => summary },
    ],
    'There is no job.',
  );
}

/** A finding wins over what failed or could not look. */
export function runVerdict(jobs: readonly Finished[]): Outcome['verdict'] {
  if (jobs.some(({ outcome }) => outcome === 'finding')) return 'finding';
  return jobs.some(({ outcome }) => outcome !== 'done') ? 'partial' : undefined;
}
