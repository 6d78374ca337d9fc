import { expect, test } from 'vitest';
import { archiveFinder } from '../../src/audit/archive/archive-finder.js';
import { entryOf } from '../../src/audit/archive/archived-event.js';
import { isArchived, type LeafPlace } from '../../src/audit/archive/leaf-records.js';
import { monthOf } from '../../src/audit/archive/month.js';
import { seededRandom, testSeed } from '../support/model/random.js';

const seed = testSeed();
const archive = (category: string, month: string, tree_from: number, tree_size: number): LeafPlace => ({
  month: monthOf(category, month),
  tree_from,
  tree_size,
});
const entry = (category: string, occurred_at: bigint) =>
  entryOf({ epoch: 1, xid: '7', id: '9', occurred_at: String(occurred_at), category });

const ARCHIVES = [
  archive('modification', '2024-04-01', 0, 256),
  archive('access', '2024-03-01', 0, 256),
  archive('modification', '2024-03-01', 300, 512),
  archive('modification', '2024-03-01', 0, 256),
  archive('modification', '2024-06-01', 0, 512),
];

test('a leaf on every edge of every archive has the archive that a look at all of them has', () => {
  const find = archiveFinder(ARCHIVES);
  const indexes = [0, 1, 255, 256, 257, 299, 300, 301, 511, 512, 513];
  const times = ARCHIVES.flatMap(({ month: { from, to } }) => [from - 1n, from, from + 1n, to - 1n, to]);
  const found = new Set<number>();
  for (const category of ['modification', 'access', 'consent'])
    for (const time of times)
      for (const index of indexes) {
        const bytes = entry(category, time);
        const expected = ARCHIVES.findIndex((one) => isArchived(one, index, bytes, 0));
        expect(find(index, bytes, 0), `${category} ${time} ${index}`).toBe(expected);
        found.add(expected);
      }
  expect([...found].sort()).toEqual([-1, 0, 1, 2, 3, 4]);
});

test('two archives of a month meet between two leaves', () => {
  const find = archiveFinder([
    archive('access', '2024-03-01', 100, 200),
    archive('access', '2024-03-01', 0, 100),
  ]);
  const bytes = entry('access', monthOf('access', '2024-03-01').from);
  expect([0, 99, 100, 199, 200].map((index) => find(index, bytes, 0))).toEqual([1, 1, 0, 0, -1]);
  expect(archiveFinder([])(5, bytes, 0)).toBe(-1);
});

test(`among hundreds it finds what a look at all of them finds (NESTCTL_TEST_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  const archives: LeafPlace[] = [];
  const ends = new Map<string, number>();
  for (let at = 0; at < 400; at += 1) {
    const category = random.pick(['modification', 'consent', 'emergency', 'access', 'authentication']);
    const month = `${random.between(2020, 2026)}-${String(random.between(1, 12)).padStart(2, '0')}-01`;
    const from = (ends.get(category) ?? 0) + random.between(0, 2);
    const size = from + random.between(1, 5);
    ends.set(category, size);
    archives.push(archive(category, month, from, size));
  }
  const find = archiveFinder(archives);
  let hits = 0;
  for (let turn = 0; turn < 20_000; turn += 1) {
    const { month, tree_from, tree_size } = random.pick(archives);
    const time = random.pick([month.from - 1n, month.from, month.to - 1n, month.to]);
    const index = random.pick([tree_from - 1, tree_from, tree_size - 1, tree_size]);
    const bytes = entry(month.category, time);
    const expected = archives.findIndex((one) => isArchived(one, index, bytes, 0));
    if (expected >= 0) hits += 1;
    expect(find(index, bytes, 0)).toBe(expected);
  }
  expect(hits).toBeGreaterThan(2000);
});
