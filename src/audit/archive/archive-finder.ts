import { isArchived, type LeafPlace } from './leaf-records.js';

/** The place of a leaf's archive in the list; -1 for a leaf of none. */
export type FindArchive = (index: number, entries: Buffer, at: number) => number;

interface Placed {
  readonly archive: LeafPlace;
  readonly at: number;
}

/**
 * Finds archives by leaf in halves, however many there are: by category, then by month and place in the tree. Archives of
 * one month and category share no leaf, so that the last that begins at or before a leaf is the only one to ask.
 */
export function archiveFinder(archives: readonly LeafPlace[]): FindArchive {
  const byCategory = new Map<string, Placed[]>();
  for (const [at, archive] of archives.entries()) {
    const code = archive.month.category.slice(0, 2);
    byCategory.set(code, [...(byCategory.get(code) ?? []), { archive, at }]);
  }
  for (const placed of byCategory.values()) placed.sort((one, other) => order(one.archive, other.archive));
  // Neighbours in the tree are mostly of one archive.
  let last: Placed | undefined;
  return (index, entries, at) => {
    if (last !== undefined && isArchived(last.archive, index, entries, at)) return last.at;
    const placed = byCategory.get(entries.toString('latin1', at + 28, at + 30)) ?? [];
    const found = lastBefore(placed, index, entries.readBigInt64BE(at + 20));
    if (found === undefined || !isArchived(found.archive, index, entries, at)) return -1;
    last = found;
    return found.at;
  };
}

function order(one: LeafPlace, other: LeafPlace): number {
  if (one.month.from !== other.month.from) return one.month.from < other.month.from ? -1 : 1;
  return one.tree_from - other.tree_from;
}

/** The last that does not lie wholly behind the leaf. */
function lastBefore(placed: readonly Placed[], index: number, time: bigint): Placed | undefined {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { month, tree_from } = (placed[middle] as Placed).archive;
    if (month.to <= time || (month.from <= time && tree_from <= index)) low = middle + 1;
    else high = middle;
  }
  return placed[low - 1];
}
