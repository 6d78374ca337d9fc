import type { ChartBlock, Section } from '../../evidence/index.js';
import { addDays, dayIn, startOf, weekdayOf } from '../clock/calendar-day.js';
import type { PackageColumn } from './package-tables.js';
import type { Reading } from './read-rows.js';
import { CHARTS } from './words.js';

/** So many weeks are drawn, the last ones; the files have all. */
const SHOWN_WEEKS = 52;
/** Of a child's measures, the last ones. */
const SHOWN_MEASURES = 60;
/** More points than this are read better as a line. */
const BARS = 12;
const HALF_HOUR = 1_800_000;
const HALF_HOURS_A_DAY = 48;
/** And an hour, by which a week is longer where clocks are put back. */
const HALF_HOURS_A_WEEK = 7 * HALF_HOURS_A_DAY + 2;
const [ZERO, LETTER_T] = [0x30, 0x54];

/** Gathers what the page draws from the rows of files as they are written; memory grows with years and children alone. */
export class Charts {
  /** Entries of the usage log by days in UTC and their half hours: no zone has its midnight in the middle of one. */
  readonly #days = new Map<number, Uint32Array>();
  readonly #growth: { readonly name: string; readonly weights: string; readonly heights: string }[] = [];

  /** What takes the rows of a table, with these columns in their order; undefined where nothing is drawn of them. */
  reader(table: string, columns: readonly PackageColumn[]): ((row: Reading) => void) | undefined {
    const at = (name: string) => columns.findIndex((column) => column.column_name === name);
    if (table === 'public.usage_logs') {
      const time = at('logged_at');
      return time < 0 ? undefined : (row) => this.#use(row(time) ?? '');
    }
    if (table !== 'public.children') return undefined;
    const [name, weights, heights] = [at('name'), at('weight_history'), at('height_history')];
    return (row) => this.#grow(row(name) ?? '', row(weights) ?? '', row(heights) ?? '');
  }

  #use(at: string): void {
    const half = Math.floor(timeOf(at) / HALF_HOUR);
    if (Number.isNaN(half)) return;
    const day = Math.floor(half / HALF_HOURS_A_DAY);
    let times = this.#days.get(day);
    if (times === undefined) {
      times = new Uint32Array(HALF_HOURS_A_DAY);
      this.#days.set(day, times);
    }
    (times[half - day * HALF_HOURS_A_DAY] as number) += 1;
  }

  #grow(name: string, weights: string, heights: string): void {
    if (weights !== '' || heights !== '') this.#growth.push({ name, weights, heights });
  }

  /** Nothing where there is nothing to draw. */
  section(zone: string): readonly Section[] {
    const blocks: ChartBlock[] = [...this.#usage(zone), ...this.#growth.flatMap(growthOf)];
    return blocks.length === 0 ? [] : [{ heading: CHARTS.heading, blocks }];
  }

  #usage(zone: string): ChartBlock[] {
    const halfHours = [...this.#days].flatMap(([day, counts]) =>
      [...counts].flatMap((times, n) => (times > 0 ? [{ half: day * HALF_HOURS_A_DAY + n, times }] : [])),
    );
    halfHours.sort((one, other) => one.half - other.half);
    const [earliest, latest] = [halfHours[0], halfHours.at(-1)];
    if (earliest === undefined || latest === undefined) return [];
    const mondayOf = (half: number) => {
      const day = dayIn(new Date(half * HALF_HOUR), zone);
      return addDays(day, -((weekdayOf(day) + 6) % 7));
    };
    const [first, last] = [mondayOf(earliest.half), mondayOf(latest.half)];
    const weeks = new Map<string, number>();
    let [monday, end] = ['', Number.NEGATIVE_INFINITY];
    for (const { half, times } of halfHours) {
      if (half <= latest.half - SHOWN_WEEKS * HALF_HOURS_A_WEEK) continue;
      if (half * HALF_HOUR >= end) {
        // Asking clocks takes long enough to be done once a week, not for every half hour.
        monday = mondayOf(half);
        end = startOf(addDays(monday, 7), zone).getTime();
      }
      weeks.set(monday, (weeks.get(monday) ?? 0) + times);
    }
    const points: { label: string; value: number }[] = [];
    // A week without an entry is drawn as none.
    for (let week = last; week >= first && points.length < SHOWN_WEEKS; week = addDays(week, -7))
      points.unshift({ label: week, value: weeks.get(week) ?? 0 });
    const kind = points.length > BARS ? 'line' : 'bars';
    return [{ kind, caption: CHARTS.usage, axis: CHARTS.week, unit: CHARTS.entries, points }];
  }
}

/** As Date.parse has it, but for seconds; in a third of the time where it is written as most are, a million times. */
function timeOf(at: string): number {
  if (at.charCodeAt(10) !== LETTER_T || !at.endsWith('+00:00')) return Date.parse(at);
  const two = (from: number) => 10 * at.charCodeAt(from) + at.charCodeAt(from + 1) - 11 * ZERO;
  return Date.UTC(100 * two(0) + two(2), two(5) - 1, two(8), two(11), two(14));
}

function growthOf({
  name,
  weights,
  heights,
}: {
  name: string;
  weights: string;
  heights: string;
}): ChartBlock[] {
  return (
    [
      [weights, 'kg', CHARTS.weight],
      [heights, 'cm', CHARTS.height],
    ] as const
  ).flatMap(([history, measure, words]): ChartBlock[] => {
    const points = measuresOf(history, measure);
    if (points.length < 2) return [];
    return [
      { kind: 'line', caption: words(name), axis: CHARTS.day, unit: { en: measure, fr: measure }, points },
    ];
  });
}

/** The measures of a history by their day; what is none of them is in the files alone. */
function measuresOf(history: string, measure: 'kg' | 'cm'): ChartBlock['points'] {
  const entries: unknown = JSON.parse(history === '' ? '[]' : history);
  return (Array.isArray(entries) ? (entries as Record<string, unknown>[]) : [])
    .flatMap((entry) => {
      const [label, value] = [entry?.on, entry?.[measure]];
      return typeof label === 'string' && typeof value === 'number' && /^\d{4}-\d\d-\d\d/.test(label)
        ? [{ label: label.slice(0, 10), value }]
        : [];
    })
    .sort((a, b) => (a.label < b.label ? -1 : 1))
    .slice(-SHOWN_MEASURES);
}
