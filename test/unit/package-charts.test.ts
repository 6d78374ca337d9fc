import { describe, expect, it } from 'vitest';
import { Charts } from '../../src/privacy/export/charts.js';
import type { Group } from '../../src/privacy/export/groups.js';

const group = (table: string, ...columns: string[]) =>
  ({ table: { table }, columns: columns.map((column_name) => ({ column_name })) }) as unknown as Group;
const LOGS = group('public.usage_logs', 'id', 'logged_at');
const CHILDREN = group('public.children', 'name', 'weight_history', 'height_history');

function drawn(zone: string, ...rows: readonly [Group, readonly (string | null | undefined)[]][]) {
  const charts = new Charts();
  for (const [of, values] of rows) charts.reader(of.table.table, of.columns)?.((at) => values[at]);
  return charts.section(zone).flatMap(({ blocks }) => blocks);
}
const logs = (zone: string, ...times: string[]) => {
  const [chart] = drawn(zone, ...times.map((time) => [LOGS, ['x', time]] as [Group, string[]]));
  return chart?.kind === 'bars' || chart?.kind === 'line' ? chart : undefined;
};

describe('usage by week', () => {
  it('counts from Monday, by the clocks of the person, also where they are half an hour off', () => {
    // Monday, 2026-11-23, begins in Toronto at 05:00 and in St. John's at 03:30 UTC.
    const sunday = [
      '2026-11-23T03:29:59.999+00:00',
      '2026-11-23T04:59:59+00:00',
      '2026-11-23T05:00:00+00:00',
    ];
    expect(logs('America/Toronto', ...sunday)?.points).toEqual([
      { label: '2026-11-16', value: 2 },
      { label: '2026-11-23', value: 1 },
    ]);
    expect(logs('America/St_Johns', ...sunday, '2026-11-23T03:30:00+00:00')?.points).toEqual([
      { label: '2026-11-16', value: 1 },
      { label: '2026-11-23', value: 3 },
    ]);
    // The same wall clock in summer.
    expect(logs('America/Toronto', '2026-07-06T03:59:00+00:00', '2026-07-06T04:00:00+00:00')?.points).toEqual(
      [
        { label: '2026-06-29', value: 1 },
        { label: '2026-07-06', value: 1 },
      ],
    );
  });

  it('draws weeks without an entry as none, the last 52 of many, and more than 12 as a line', () => {
    expect(logs('UTC', '2026-11-02T10:00:00+00:00', '2026-11-16T10:00:00+00:00')).toMatchObject({
      kind: 'bars',
      points: [{ value: 1 }, { label: '2026-11-09', value: 0 }, { value: 1 }],
    });
    const long = logs('UTC', '2020-01-06T10:00:00+00:00', '2026-11-23T10:00:00+00:00');
    expect(long?.kind).toBe('line');
    expect(long?.points).toHaveLength(52);
    expect(long?.points.at(-1)).toEqual({ label: '2026-11-23', value: 1 });
    expect(drawn('UTC', [LOGS, ['x', undefined]], [group('public.families', 'id'), ['y']])).toEqual([]);
  });
});

describe('growth', () => {
  it('is drawn of each child by day, and only what are measures', () => {
    const weights = [
      { kg: 5.25, on: '2026-03-01' },
      { kg: 4, on: '2026-01-01' },
      { kg: 'x', on: '2026-02-01' },
      7,
      null,
    ];
    expect(drawn('UTC', [CHILDREN, ['Léa', JSON.stringify(weights), '[]']])).toEqual([
      {
        ...{ kind: 'line', caption: { en: 'Weight: Léa', fr: 'Poids : Léa' }, unit: { en: 'kg', fr: 'kg' } },
        axis: { en: 'Day', fr: 'Jour' },
        points: [
          { label: '2026-01-01', value: 4 },
          { label: '2026-03-01', value: 5.25 },
        ],
      },
    ]);
    const heights = [
      { cm: 60, on: '2026-01-01' },
      { cm: 70, on: '2026-06-01' },
    ];
    expect(
      drawn('UTC', [CHILDREN, ['Léa', '[{"kg": 4, "on": "2026-01-01"}]', JSON.stringify(heights)]]),
    ).toHaveLength(1);
    for (const none of [null, undefined, '{}', '"x"', '[]'])
      expect(drawn('UTC', [CHILDREN, ['Léa', none, none]])).toEqual([]);
  });
});
