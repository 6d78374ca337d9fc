import { createHash } from 'node:crypto';
import { archiveFinder } from '../archive/archive-finder.js';
import { LEAF_RECORD, type LeafPlace, writeLeafRecord } from '../archive/leaf-records.js';

/** Leaves of the tree whose events are not in the database any more, as was signed of them. */
export interface MonthLeaves extends LeafPlace {
  readonly events: number | null;
  /** SHA-256 over their records, hex. */
  readonly leaves: string | null;
}

/** Months that stand for their events, while the tree is walked. */
export interface MonthWalk {
  /** Whether a leaf is of one of them; then its event is not to be looked for. */
  readonly holds: (entries: Buffer, entryAt: number, index: number) => boolean;
  readonly take: (entries: Buffer, entryAt: number, hashes: Buffer, hashAt: number, index: number) => boolean;
  /** Why the leaves of the month at this place of the list are not those that were signed for; undefined where they are. */
  readonly differs: (at: number) => string | undefined;
}

/** Counts and digests the leaves of each month as they go by. */
export function walkMonths(months: readonly MonthLeaves[]): MonthWalk {
  const seen = months.map(() => ({ digest: createHash('sha256'), count: 0 }));
  const find = archiveFinder(months);
  const none = months.length === 0;
  const record = Buffer.alloc(LEAF_RECORD);
  return {
    holds: (entries, entryAt, index) => !none && find(index, entries, entryAt) >= 0,
    take(entries, entryAt, hashes, hashAt, index) {
      if (none) return false;
      const own = seen[find(index, entries, entryAt)];
      if (own === undefined) return false;
      writeLeafRecord(record, 0, index, entries, entryAt, hashes, hashAt);
      own.digest.update(record);
      own.count += 1;
      return true;
    },
    differs(at) {
      const found = seen[at];
      const { events, leaves } = months[at] as MonthLeaves;
      if (found?.count === events && found.digest.digest('hex') === leaves) return undefined;
      return `the tree has ${found?.count} leaves of it that are not the ${events} that were signed for`;
    },
  };
}
