import { randomFillSync } from 'node:crypto';

export const ENTRY = 30;
/** Where in an entry its category stands. */
export const CATEGORY = 28;
const HASH = 32;
/** Of a family's key. */
const KEY = 16;
const BYTES = ENTRY + HASH + KEY;
export const BUCKETS = 65_536;

/**
 * Compares two multisets of millions of leaves that come in different orders, in memory that does not grow: what is
 * added and what is taken away must cancel out, bucket by bucket (4096 neighbouring ids share one). Each leaf, with its
 * entry and the family in whose chain it stands, counts with a number of 64 bits drawn by tables of random numbers that exist for this one comparison only
 * (simple tabulation hashing), so that nobody could have arranged for two different leaves to cancel.
 */
export class Tally {
  readonly #low = randomFillSync(new Uint32Array(BYTES * 256));
  readonly #high = randomFillSync(new Uint32Array(BYTES * 256));
  readonly #lows = new Uint32Array(BUCKETS);
  readonly #highs = new Uint32Array(BUCKETS);
  added = 0;
  taken = 0;

  add(entry: Buffer, leaf: Buffer, family: Buffer | undefined): void {
    this.#count(entry, 0, leaf, 0, family, 1);
    this.added += 1;
  }

  take(entries: Buffer, entryAt: number, leaves: Buffer, leafAt: number, family: Buffer | undefined): void {
    this.#count(entries, entryAt, leaves, leafAt, family, -1);
    this.taken += 1;
  }

  #count(
    entry: Buffer,
    entryAt: number,
    leaf: Buffer,
    leafAt: number,
    family: Buffer | undefined,
    sign: 1 | -1,
  ): void {
    let low = 0;
    let high = 0;
    let table = 0;
    for (let at = 0; at < ENTRY; at += 1, table += 256) {
      const slot = table + (entry[entryAt + at] as number);
      low ^= this.#low[slot] as number;
      high ^= this.#high[slot] as number;
    }
    for (let at = 0; at < HASH; at += 1, table += 256) {
      const slot = table + (leaf[leafAt + at] as number);
      low ^= this.#low[slot] as number;
      high ^= this.#high[slot] as number;
    }
    if (family !== undefined) {
      for (let at = 0; at < KEY; at += 1, table += 256) {
        const slot = table + (family[at] as number);
        low ^= this.#low[slot] as number;
        high ^= this.#high[slot] as number;
      }
    }
    const bucket = bucketOf(entry, entryAt);
    this.#lows[bucket] = (this.#lows[bucket] as number) + sign * (low >>> 0);
    this.#highs[bucket] = (this.#highs[bucket] as number) + sign * (high >>> 0);
  }

  /** Buckets in which something differs. */
  differing(): number[] {
    const found: number[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      if (this.#lows[bucket] !== 0 || this.#highs[bucket] !== 0) found.push(bucket);
    }
    return found;
  }
}

/** `(id >> 12) & 65535` */
export function bucketOf(entry: Buffer, at: number): number {
  return ((entry.readUInt32BE(at + 16) >>> 12) | (entry.readUInt32BE(at + 12) << 20)) & (BUCKETS - 1);
}

/** What an entry of a tile says of its event. */
export interface Entry {
  readonly epoch: number;
  readonly xid: bigint;
  readonly id: bigint;
  /** Microseconds since 2000-01-01. */
  readonly at: bigint;
}

export function readEntry(entries: Buffer, at: number): Entry {
  return {
    epoch: entries.readInt32BE(at),
    xid: entries.readBigUInt64BE(at + 4),
    id: entries.readBigInt64BE(at + 12),
    at: entries.readBigInt64BE(at + 20),
  };
}
