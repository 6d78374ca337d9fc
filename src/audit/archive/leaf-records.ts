import { createHash } from 'node:crypto';
import { ByteBuilder } from '../../platform/byte-builder.js';
import type { Connection } from '../../platform/database/connection.js';
import type { ObjectStore } from '../../platform/object-store/index.js';
import { readLeafTiles, TILE_WIDTH } from '../leaf-tiles.js';
import type { Tally } from '../verify/tally.js';
import type { ArchiveObject } from './archive-objects.js';
import type { Archive } from './archives.js';
import { isOfMonth } from './month.js';

/** Index (8 bytes), entry (30) and hash (32) of a leaf. */
export const LEAF_RECORD = 70;

export interface Leaves {
  readonly count: number;
  /** Indexes; -1 where there are none. */
  readonly first: number;
  readonly last: number;
  /** Of the records one after another, hex. */
  readonly sha256: string;
}

export type LeafPlace = Pick<Archive, 'month' | 'tree_from' | 'tree_size'>;

/** Whether a leaf of the tree is one of an archive. */
export function isArchived(archive: LeafPlace, index: number, entries: Buffer, at: number): boolean {
  return index >= archive.tree_from && index < archive.tree_size && isOfMonth(archive.month, entries, at);
}

/** Writes the record of a leaf into `record`, from `at` on. */
export function writeLeafRecord(
  record: Buffer,
  at: number,
  index: number,
  entries: Buffer,
  entryAt: number,
  hashes: Buffer,
  hashAt: number,
): void {
  record.writeBigUInt64BE(BigInt(index), at);
  entries.copy(record, at + 8, entryAt, entryAt + 30);
  hashes.copy(record, at + 38, hashAt, hashAt + 32);
}

/**
 * What the tree in the database has of an archive, in the order of the tree, some at a time; until the next is asked
 * for.
 */
async function* leafRecords(connection: Connection, archive: LeafPlace): AsyncGenerator<Buffer> {
  const from = Math.floor(archive.tree_from / TILE_WIDTH);
  const to = Math.ceil(archive.tree_size / TILE_WIDTH);
  const records = new ByteBuilder();
  const record = Buffer.alloc(LEAF_RECORD);
  for await (const tiles of readLeafTiles(connection, from, to)) {
    records.start();
    for (const { number, hashes, entries } of tiles) {
      for (let at = 0; at * 32 < hashes.length; at += 1) {
        const index = number * TILE_WIDTH + at;
        if (!isArchived(archive, index, entries, at * 30)) continue;
        writeLeafRecord(record, 0, index, entries, at * 30, hashes, at * 32);
        records.raw(record);
      }
    }
    yield records.bytes();
  }
}

/** Counts and digests them, and takes each from the tally. */
export async function summarizeLeaves(
  connection: Connection,
  archive: LeafPlace,
  tally: Tally,
): Promise<Leaves> {
  const digest = createHash('sha256');
  let count = 0;
  let [first, last] = [-1, -1];
  for await (const records of leafRecords(connection, archive)) {
    digest.update(records);
    for (let at = 0; at < records.length; at += LEAF_RECORD) {
      tally.take(records, at + 8, records, at + 38, undefined);
      last = Number(records.readBigUInt64BE(at));
      if (first < 0) first = last;
      count += 1;
    }
  }
  return { count, first, last, sha256: digest.digest('hex') };
}

/** Stores them, unless they lie there from an earlier try, locked until a time. */
export async function storeLeaves(
  connection: Connection,
  store: ObjectStore,
  key: string,
  archive: LeafPlace,
  leaves: Leaves,
  until: Date,
): Promise<Pick<ArchiveObject, 'key' | 'version' | 'size' | 'sha256'>> {
  const size = leaves.count * LEAF_RECORD;
  const there = await store.head(key);
  if (there?.size === size) {
    const digest = createHash('sha256');
    const version = there.version ?? undefined;
    for await (const bytes of store.get(key, version === undefined ? {} : { version })) digest.update(bytes);
    if (digest.digest('hex') === leaves.sha256) {
      await store.retain(key, until, version);
      return { key, version: there.version, size, sha256: leaves.sha256 };
    }
  }
  const sent = await store.put(key, leafRecords(connection, archive), {
    contentType: 'application/octet-stream',
    retainUntil: until,
    expectedSize: size,
  });
  return { key, version: sent.version, size: sent.size, sha256: sent.sha256 };
}
