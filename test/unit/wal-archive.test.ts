import { describe, expect, test } from 'vitest';
import { logFrom, missingFrom, pathBetween, summariseArchive } from '../../src/backups/archive.js';
import type { Archive, Backup } from '../../src/backups/backup.js';
import {
  formatLsn,
  parseHistory,
  parseLsn,
  parseSegment,
  segmentAt,
  segmentName,
} from '../../src/backups/wal.js';
import { seededRandom, testSeed } from '../support/model/random.js';

const MB16 = 16 * 1024 * 1024;
const name = (timeline: number, number: number) => segmentName({ timeline, number }, MB16);
const range = (timeline: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => name(timeline, from + at));
const lsn = (segment: number, byte = 0) => formatLsn(BigInt(segment) * BigInt(MB16) + BigInt(byte));

function archive(names: readonly string[], histories: Record<number, string> = {}): Archive {
  const parsed = new Map(Object.entries(histories).map(([line, text]) => [Number(line), parseHistory(text)]));
  const timelines = summariseArchive(names, MB16, parsed);
  return { place: '/wal', segment_size: MB16, timelines, newest_at: null };
}

describe('names and places', () => {
  test.each([
    [1, 0, '000000010000000000000000'],
    [1, 255, '0000000100000000000000FF'],
    [1, 256, '000000010000000100000000'],
    [0x1a, 0xabc01, '0000001A00000ABC00000001'],
  ])('timeline %i, file %i is %s', (timeline, number, text) => {
    expect(segmentName({ timeline, number }, MB16)).toBe(text);
    expect(parseSegment(text, MB16)).toEqual({ timeline, number });
  });

  test('of files of another size there are others in a log of 4 GiB', () => {
    expect(segmentName({ timeline: 1, number: 64 }, 64 * 1024 * 1024)).toBe('000000010000000100000000');
  });

  test.each([
    '00000002.history',
    '000000010000000000000003.00000028.backup',
    '000000010000000000000003.partial',
    'x',
  ])('%s is no file of the log', (text) => expect(parseSegment(text, MB16)).toBeUndefined());

  test('a place at the very end of a file belongs to the one before it', () => {
    expect(parseLsn('1/FF000000')).toBe(0x1ff000000n);
    expect(formatLsn(0x1ff000000n)).toBe('1/FF000000');
    expect([
      segmentAt(parseLsn('0/3000000'), MB16),
      segmentAt(parseLsn('0/3000000'), MB16, 'before'),
    ]).toEqual([3, 2]);
    expect(() => parseLsn('16B3748')).toThrow();
  });
});

test('gaps are told with both ends, each timeline by itself', () => {
  const { timelines } = archive([
    ...range(1, 2, 5),
    ...range(1, 8, 8),
    ...range(1, 10, 11),
    ...range(2, 8, 9),
  ]);
  expect(timelines).toMatchObject([
    {
      timeline: 1,
      segments: 7,
      missing: [
        { from: name(1, 6), to: name(1, 7), count: 2 },
        { from: name(1, 9), to: name(1, 9), count: 1 },
      ],
    },
    { timeline: 2, segments: 2, missing: [], ancestors: null },
  ]);
});

describe('a timeline that was left', () => {
  const history = `1\t${lsn(6, 100)}\tbefore 2026-12-01\n`;
  // File 6 was begun on the first and is there whole on the second.
  const forked = archive([...range(1, 1, 9), ...range(2, 6, 8)], { 2: history });

  test('leads on from the file in which it was left', () => {
    expect(
      pathBetween(forked, { timeline: 1, lsn: parseLsn(lsn(3, 40)) }, { timeline: 2, lsn: parseLsn(lsn(9)) }),
    ).toEqual([
      { timeline: 1, from: 3, to: 5 },
      { timeline: 2, from: 6, to: 8 },
    ]);
  });

  test('does not lead there from behind the place where it was left', () => {
    const later = { timeline: 1, lsn: parseLsn(lsn(7, 40)) };
    expect(pathBetween(forked, later, { timeline: 2, lsn: parseLsn(lsn(9)) })).toBeUndefined();
    expect(pathBetween(forked, later, { timeline: 1, lsn: parseLsn(lsn(10)) })).toEqual([
      { timeline: 1, from: 7, to: 9 },
    ]);
  });

  test('is followed by what comes from a backup, up to the first gap', () => {
    const backup = (timeline: number, segment: number) =>
      ({ timeline, start_lsn: lsn(segment, 40) }) as unknown as Backup;
    expect(logFrom(forked, backup(1, 3))).toEqual({ last: name(2, 8), end: parseLsn(lsn(9)), gap: null });
    expect(logFrom(forked, backup(1, 7))).toEqual({ last: name(1, 9), end: parseLsn(lsn(10)), gap: null });
    const holed = archive([...range(1, 1, 3), ...range(1, 5, 9), ...range(2, 6, 8)], { 2: history });
    expect(logFrom(holed, backup(1, 3))).toMatchObject({
      last: name(1, 3),
      gap: { from: name(1, 4), to: name(1, 4) },
    });
    expect(logFrom(holed, backup(1, 5))).toMatchObject({ last: name(2, 8), gap: null });
    expect(logFrom(holed, backup(1, 4))).toBeUndefined();
  });
});

const seed = testSeed();
test(`what is missing from a path is what was taken away, NESTCTL_TEST_SEED=${seed}`, () => {
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round += 1) {
    const all = range(1, random.between(0, 300), random.between(400, 700));
    const gone = new Set(all.slice(1, -1).filter(() => random.between(0, 9) === 0));
    const held = archive(all.filter((each) => !gone.has(each)));
    const number = (text: string) => parseSegment(text, MB16)?.number ?? 0;
    const path = [{ timeline: 1, from: number(all[0] as string), to: number(all.at(-1) as string) }];
    const told = missingFrom(held, path).flatMap(({ from, to }) => range(1, number(from), number(to)));
    expect(new Set(told)).toEqual(gone);
  }
});
