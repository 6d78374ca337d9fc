import { describe, expect, it } from 'vitest';
import { stageAt } from '../../src/families/seed/growth.js';
import { healthCardNumber } from '../../src/families/seed/health-cards.js';
import { PROVINCES, placeOf } from '../../src/families/seed/places.js';
import { Random } from '../../src/families/seed/random.js';
import { copyLine } from '../../src/families/seed/rows.js';
import { taxesOn } from '../../src/families/seed/taxes.js';

describe('random', () => {
  it('repeats itself for the same seed and stream, and for no other', () => {
    const draw = (seed: number, stream: number) => {
      const random = new Random(seed, stream);
      return Array.from({ length: 5 }, () => random.uuid()).join();
    };
    expect(draw(1, 2)).toBe(draw(1, 2));
    const all = [0, 1, 2, 2 ** 32 - 1].flatMap((seed) =>
      [0, 1, 2, 2 ** 32 - 1].map((stream) => draw(seed, stream)),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it('spreads evenly, from the lowest to the highest', () => {
    const random = new Random(7, 7);
    const seen = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw++) {
      const number = random.between(0, 9);
      seen[number] = (seen[number] ?? Number.NaN) + 1;
    }
    for (const count of seen) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('makes UUIDs of version 4', () => {
    const random = new Random(1, 1);
    const many = Array.from({ length: 10_000 }, () => random.uuid());
    expect(new Set(many).size).toBe(10_000);
    expect(
      many.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
    ).toEqual([]);
  });
});

it('puts the first thirteen families in each province, the others by population', () => {
  const at = (number: number) => placeOf(new Random(1, number), number).province;
  const numbers = Array.from({ length: 5_000 }, (_, index) => at(index + 1));
  expect(numbers.slice(0, 13).sort()).toEqual([...PROVINCES].sort());
  const share = (province: string) => numbers.filter((one) => one === province).length / numbers.length;
  expect(share('ON')).toBeCloseTo(0.385, 1);
  expect(share('QC')).toBeCloseTo(0.23, 1);
});

it('gives health cards the shape of their province', () => {
  const holder = { firstName: 'Zoé', lastName: 'Côté', dateOfBirth: '2025-03-09', girl: true };
  const card = (province: 'QC' | 'ON' | 'BC') => healthCardNumber(new Random(1, 1), province, holder);
  expect(card('QC')).toBe('COTZ 2553 0900');
  expect(card('ON')).toMatch(/^[1-9]\d{3}-000-\d{3}-[A-Z]{2}$/);
  expect(card('BC')).toMatch(/^9\d{3} 000 \d{3}$/);
});

it('taxes by province, to the cent', () => {
  expect(taxesOn(1999, 'QC')).toEqual({ gst: 100, pst: 0, hst: 0, qst: 199 });
  expect(taxesOn(1999, 'ON')).toEqual({ gst: 0, pst: 0, hst: 260, qst: 0 });
  expect(taxesOn(3499, 'BC')).toEqual({ gst: 175, pst: 245, hst: 0, qst: 0 });
  expect(taxesOn(3499, 'NU')).toEqual({ gst: 175, pst: 0, hst: 0, qst: 0 });
});

it('knows the size of a diaper by age, and when none is worn any more', () => {
  expect([10, 60, 150, 300, 500, 800, 1000, 1500].map((days) => stageAt(days).size)).toEqual([
    'newborn',
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    null,
  ]);
});

it('writes COPY lines that say exactly what the cells hold', () => {
  expect(copyLine(['a\tb\\c\nd\re', null, 1.5, false, '', '\\N'])).toBe(
    'a\\tb\\\\c\\nd\\re\t\\N\t1.5\tfalse\t\t\\\\N\n',
  );
  expect(copyLine([['a"b', 'c,d'], [], [1, 2]])).toBe('{"a\\\\"b","c,d"}\t{}\t{1,2}\n');
  expect(copyLine([new Date(0), Uint8Array.of(1, 255)])).toBe('1970-01-01T00:00:00.000Z\t\\\\x01ff\n');
});
