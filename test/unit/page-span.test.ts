import { describe, expect, test } from 'vitest';
import { monthOf } from '../../src/audit/archive/month.js';
import { boundsOf } from '../../src/audit/filter/bounds.js';
import { parseFilter } from '../../src/audit/filter/parse-filter.js';
import { inPageOrder, isFullBefore, spanOfMonth } from '../../src/audit/recall/page-span.js';
import { touches } from '../../src/audit/recall/touched-archives.js';

const at = (text: string) => new Date(text);

describe('a page', () => {
  const span = { first: at('2024-03-01T00:00:00.000Z'), last: at('2024-03-31T12:00:00.500Z') };

  test('is full before a span only where one more than its limit is certain to come first', () => {
    const later = [at('2024-04-02T00:00:00Z'), at('2024-04-01T00:00:00Z'), at('2024-03-31T12:00:00.501Z')];
    expect(isFullBefore(span, later, { limit: 2 })).toBe(true);
    expect(isFullBefore(span, later, { limit: 3 })).toBe(false);
    // Within the last millisecond of the span either may be the later one.
    const same = [...later.slice(0, 2), span.last];
    expect(isFullBefore(span, same, { limit: 2 })).toBe(false);
    const earlier = [at('2024-02-01T00:00:00Z'), at('2024-02-29T23:59:59.999Z')];
    expect(isFullBefore(span, earlier, { limit: 1, oldestFirst: true })).toBe(true);
    expect(isFullBefore(span, [earlier[0] as Date, span.first], { limit: 1, oldestFirst: true })).toBe(false);
    expect(isFullBefore(span, earlier, { limit: 1 })).toBe(false);
  });

  test('comes to what overlaps by its nearer edge', () => {
    const long = { first: at('2024-01-01'), last: at('2024-05-01') };
    const short = { first: at('2024-02-01'), last: at('2024-02-02') };
    expect(inPageOrder([short, long], { limit: 1 })).toEqual([long, short]);
    expect(inPageOrder([short, long], { limit: 1, oldestFirst: true })).toEqual([long, short]);
    const early = { first: at('2023-01-01'), last: at('2024-02-03') };
    expect(inPageOrder([short, early], { limit: 1 })).toEqual([early, short]);
    expect(inPageOrder([short, early], { limit: 1, oldestFirst: true })).toEqual([early, short]);
  });
});

describe('a month is asked', () => {
  const month = { month: monthOf('modification', '2024-03-01') };
  const asked = (text: string) => {
    const read = (input: string, edge: 'start' | 'end') =>
      new Date(Date.parse(input) + (edge === 'end' && input.length === 10 ? 86_400_000 : 0));
    return touches(month, boundsOf(parseFilter(text), read));
  };

  test.each([
    ['category = modification', true],
    ['category in (access, MODIFICATION)', true],
    ['category = access', false],
    ['category = access or table = users', true],
    ['not category = access', true],
    ['category != modification', true],
    ['category = access and category = modification', false],
    ['time >= 2024-03-31', true],
    ['time >= 2024-04-01', false],
    ['time > 2024-03-31', true],
    ['time < 2024-03-01', false],
    ['time < 2024-03-01T00:00:00.001Z', true],
    ['time <= 2024-02-29', false],
    ['time < 2024-02-29', false],
    ['time <= 2024-02-28', false],
    ['time <= 2024-03-01T00:00:00Z', true],
    ['time = 2024-03-15', true],
    ['time = 2024-04-15', false],
    ['time in (2024-01-01, 2024-05-01)', true],
    ['time != 2024-03-15', true],
    ['time >= 2024-01-01 and time < 2024-02-01', false],
    ['new.time = 2024-04-15', true],
  ] as const)('by "%s": %s', (text, expected) => {
    expect(asked(text)).toBe(expected);
  });

  test('up to its last microsecond and no further', () => {
    const { first, last } = spanOfMonth(month);
    expect([first.toISOString(), last.toISOString()]).toEqual([
      '2024-03-01T00:00:00.000Z',
      '2024-03-31T23:59:59.999Z',
    ]);
    expect(touches(month, { since: last })).toBe(true);
    expect(touches(month, { since: new Date(last.getTime() + 1) })).toBe(false);
    expect(touches(month, { until: first })).toBe(false);
    expect(touches(month, { until: new Date(first.getTime() + 1) })).toBe(true);
  });
});
