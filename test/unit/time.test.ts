import { describe, expect, it } from 'vitest';
import { timeRange } from '../../src/console/flags/time-range.js';
import { formatDuration, parseDuration } from '../../src/console/time/parse-duration.js';
import { parseInstant } from '../../src/console/time/parse-instant.js';
import { formatInstant } from '../../src/platform/zone.js';

const NOW = new Date('2026-11-22T12:00:00Z');
const read = (input: string, zone = 'America/Toronto', edge: 'start' | 'end' = 'start') =>
  parseInstant(input, { zone, now: NOW, edge }).toISOString();

describe('an instant', () => {
  it.each([
    ['3h', '2026-11-22T09:00:00.000Z'],
    ['2d', '2026-11-20T12:00:00.000Z'],
    ['1h30m', '2026-11-22T10:30:00.000Z'],
    ['2026-11-20', '2026-11-20T05:00:00.000Z'],
    ['2026-07-01', '2026-07-01T04:00:00.000Z'],
    ['2026-11-20T14:02', '2026-11-20T19:02:00.000Z'],
    ['2026-11-20 14:02:58.5', '2026-11-20T19:02:58.500Z'],
    ['2026-11-20T14:02Z', '2026-11-20T14:02:00.000Z'],
    ['2026-11-20T14:02:00-03:30', '2026-11-20T17:32:00.000Z'],
    ['2024-02-29', '2024-02-29T05:00:00.000Z'],
    // It is Sunday the 22nd, seven in the morning in Toronto.
    ['now', '2026-11-22T12:00:00.000Z'],
    ['today 6:30', '2026-11-22T11:30:00.000Z'],
    ['yesterday', '2026-11-21T05:00:00.000Z'],
    ['last Tuesday 14:00', '2026-11-17T19:00:00.000Z'],
    ['tuesday at 2 pm', '2026-11-17T19:00:00.000Z'],
    ['sunday noon', '2026-11-15T17:00:00.000Z'],
    ['last saturday', '2026-11-21T05:00:00.000Z'],
    ['mardi dernier à 14h30', '2026-11-17T19:30:00.000Z'],
    ['hier 12am', '2026-11-21T05:00:00.000Z'],
  ])('%s is %s', (input, expected) => expect(read(input)).toBe(expected));

  it.each([
    ['2026-02-30', /does not exist in the calendar/],
    ['2025-02-29', /does not exist in the calendar/],
    ['2026-13-01', /does not exist in the calendar/],
    ['2026-11-20T24:00', /does not exist in the calendar/],
    ['2026-11-20T14:60', /does not exist in the calendar/],
    ['0026-11-20', /does not exist in the calendar/],
    ['2026-11-20T14:02+25:00', /offset/],
    ['20.11.2026', /is not a time/],
    ['tomorrow', /is not a time/],
    ['last tuesday 25:00', /does not exist in the calendar/],
    ['last tuesday 13pm', /is not a time/],
    ['tuesday 3 4 5', /is not a time/],
    ['2026-11-20T14:02 America/Toronto', /is not a time/],
    ['', /is not a time/],
  ])('%s is refused', (input, message) => expect(() => read(input)).toThrow(message));

  it('that the clocks skipped is refused, and may be given with an offset', () => {
    expect(() => read('2026-03-08T02:30')).toThrow(/never came in America\/Toronto/);
    expect(read('2026-03-08T02:30-05:00')).toBe('2026-03-08T07:30:00.000Z');
    expect(read('2026-03-08T01:59')).toBe('2026-03-08T06:59:00.000Z');
    expect(read('2026-03-08T03:00')).toBe('2026-03-08T07:00:00.000Z');
    expect(read('2026-03-08T02:30', 'America/Regina')).toBe('2026-03-08T08:30:00.000Z');
  });

  it('that came twice is the first for a start and the second for an end', () => {
    expect(read('2026-11-01T01:30', 'America/Toronto', 'start')).toBe('2026-11-01T05:30:00.000Z');
    expect(read('2026-11-01T01:30', 'America/Toronto', 'end')).toBe('2026-11-01T06:30:00.000Z');
  });

  it('knows zones of half hours and of days without a midnight', () => {
    expect(read('2026-01-01', 'America/St_Johns')).toBe('2026-01-01T03:30:00.000Z');
    expect(read('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
  });
});

describe('a span', () => {
  it('to a date reaches to the end of that day, also of days of 23 and 25 hours', () => {
    for (const [day, hours] of [
      ['2026-11-20', 24],
      ['2026-03-08', 23],
      ['2026-11-01', 25],
    ] as const) {
      const { since, until } = timeRange({ since: day, until: day, zone: 'America/Toronto' }, NOW);
      expect((Number(until) - Number(since)) / 3_600_000, day).toBe(hours);
    }
  });

  it('is refused where it ends before it begins, or its zone does not exist', () => {
    expect(() => timeRange({ since: '2026-11-21', until: '2026-11-20' }, NOW)).toThrow(
      '--since is not before --until.',
    );
    expect(() => timeRange({ zone: 'Canada/Tornto' }, NOW)).toThrow(/Canada\/Tornto/);
    expect(() => timeRange({ until: '2026-02-30' }, NOW)).toThrow(/^--until: /);
  });
});

describe('a duration', () => {
  it.each([
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['45s', 45_000],
  ])('%s', (input, milliseconds) => expect(parseDuration(input)).toBe(milliseconds));

  it.each(['', '30', 'm', '-5m', '1.5h', '30 m', '1y', '9999999d'])('%o is none', (input) => {
    expect(parseDuration(input)).toBeUndefined();
  });

  it('is written with its two largest units', () => {
    expect([0, 45_000, 5_400_000, 93_784_000].map(formatDuration)).toEqual([
      '0 s',
      '45 s',
      '1 h 30 min',
      '1 d 2 h',
    ]);
  });
});

describe('a time on the screen', () => {
  it('says its offset', () => {
    expect(formatInstant(new Date('2026-11-20T19:01:58.9Z'), 'America/Toronto')).toBe(
      '2026-11-20 14:01:58 -05:00',
    );
    expect(formatInstant(new Date('2026-07-01T00:00:00Z'), 'America/St_Johns')).toBe(
      '2026-06-30 21:30:00 -02:30',
    );
    expect(formatInstant(new Date('2026-07-01T00:00:00Z'), 'UTC')).toBe('2026-07-01 00:00:00 +00:00');
  });
});
