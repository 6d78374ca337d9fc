import { describe, expect, test } from 'vitest';
import { summariseArchive } from '../../src/backups/archive.js';
import type { Backup, Catalogue } from '../../src/backups/backup.js';
import { type Circumstances, checkBackups } from '../../src/backups/check-backups.js';
import { formatLsn, segmentName } from '../../src/backups/wal.js';

const SIZE = 16 * 1024 * 1024;
const NOW = new Date('2026-12-01T12:00:00Z');
const ago = (days: number, hours = 0) => new Date(NOW.getTime() - (days * 24 + hours) * 3_600_000);
const name = (number: number) => segmentName({ timeline: 1, number }, SIZE);
const place = (number: number, byte: number) => BigInt(number) * BigInt(SIZE) + BigInt(byte);

const backup = (stopped: Date, segment: number, more: Partial<Backup> = {}): Backup => ({
  ...{ engine: 'local', id: stopped.toISOString(), type: 'full', state: 'complete', started_at: stopped },
  ...{
    stopped_at: stopped,
    start_lsn: formatLsn(place(segment, 40)),
    stop_lsn: formatLsn(place(segment, 400)),
  },
  ...{ timeline: 1, start_segment: name(segment), stop_segment: name(segment), system: '7', version: '17' },
  ...{ size: 1, stored: 1, prior: null, encryption: 'aes', place: '/b', region: 'ca-central-1', ...more },
});

/** A backup a day for 31 days, and all of the log since. */
function well(without: readonly number[] = []): Catalogue {
  const names = Array.from({ length: 41 }, (_, at) => at).filter((at) => !without.includes(at));
  const archive = {
    ...{ place: '/w', segment_size: SIZE, newest_at: new Date(NOW.getTime() - 9 * 60_000) },
    timelines: summariseArchive(names.map(name), SIZE, new Map()),
  };
  return { archive, backups: Array.from({ length: 32 }, (_, day) => backup(ago(day, 2), 32 - day)) };
}

const around: Circumstances = {
  now: NOW,
  residency: { regions: ['ca-central-1'] },
  live: { lsn: place(41, 9_000), timeline: 1, failing: null, age_days: 400 },
};
const wrong = (catalogue: Catalogue, more: Partial<Circumstances> = {}) =>
  checkBackups(catalogue, { ...around, ...more })
    .filter(({ level }) => level !== 'ok')
    .map((found) => `${found.level} ${found.name}`);

test('nothing is wrong where all is kept', () => {
  expect(wrong(well())).toEqual([]);
});

describe('finds', () => {
  const changed = (change: (catalogue: Catalogue) => Catalogue) => change(well());
  test.each<[string, Catalogue, Partial<Circumstances>, string[]]>([
    ['no backup at all', { ...well(), backups: [] }, {}, ['error newest backup', 'error kept for 30 days']],
    [
      'the newest too old',
      changed((c) => ({ ...c, backups: c.backups.slice(2) })),
      {},
      ['error newest backup'],
    ],
    [
      'days that are not kept',
      changed((c) => ({ ...c, backups: c.backups.slice(0, 20) })),
      {},
      ['error kept for 30 days'],
    ],
    [
      'what is kept too long',
      changed((c) => ({ ...c, backups: [...c.backups, backup(ago(50), 0)] })),
      {},
      ['error forgotten in time'],
    ],
    ['a file of the log missing', well([20]), {}, ['error restorable', 'error log without gaps']],
    ['one missing where no backup began', well([36]), {}, ['error log without gaps']],
    ['one missing from before the oldest', well([0]), {}, []],
    [
      'archiving that fails',
      well(),
      { live: { ...around.live, failing: name(41) } as Circumstances['live'] },
      ['error RPO now'],
    ],
    [
      'archiving that has stalled',
      changed((c) => ({
        ...c,
        archive: { ...(c.archive as never as object), newest_at: ago(0, 2) } as Catalogue['archive'],
      })),
      {},
      ['error RPO now'],
    ],
    [
      'one abroad',
      changed((c) => ({ ...c, backups: [backup(ago(0, 1), 33, { region: 'us-east-1' }), ...c.backups] })),
      {},
      ['error in Canada'],
    ],
    [
      'one that was never finished',
      changed((c) => ({ ...c, backups: [backup(ago(0, 1), 33, { state: 'failed' }), ...c.backups] })),
      {},
      ['warning usable'],
    ],
  ])('%s', (_, catalogue, more, found) => expect(wrong(catalogue, more)).toEqual(found));
});

test('a server on which nothing is written is idle, however long ago the last file came', () => {
  const catalogue = well();
  const archive = { ...catalogue.archive, newest_at: ago(9) } as Catalogue['archive'];
  const idle = { ...around.live, lsn: place(41, 100) } as Circumstances['live'];
  expect(wrong({ ...catalogue, archive }, { live: idle })).toEqual([]);
});

test('without the database what only it knows is unknown, and the rest is checked', () => {
  expect(wrong(well(), { live: undefined })).toEqual(['unknown RPO now']);
  const young = { ...well(), backups: well().backups.slice(0, 5) };
  expect(wrong(young, { live: undefined })).toEqual(['unknown RPO now', 'unknown kept for 30 days']);
  const since = { ...around.live, age_days: 5 } as Circumstances['live'];
  expect(wrong(young, { live: since })).toEqual([]);
});
