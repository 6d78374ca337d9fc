import type { Connection } from '../../platform/database/connection.js';
import { KeyedTree } from '../../platform/transparency/keyed-tree.js';
import { copyRows } from '../copy-rows.js';

const HASH = 32;

/** The families of the log in the order of their keys, and how the database says that their chains stand. */
export interface FamilyChains {
  /** 32 bytes each. */
  readonly keys: Buffer;
  readonly counts: Float64Array;
  /** 32 bytes each. */
  readonly heads: Buffer;
  /** Where a family comes in that order, by the number that tiles have for it. */
  readonly places: ReadonlyMap<number, number>;
}

/** Reads the chains of all families; about 150 bytes of memory for each. */
export async function readFamilyChains(connection: Connection): Promise<FamilyChains> {
  const rows: Buffer[] = [];
  const places = new Map<number, number>();
  await copyRows(
    connection,
    'select key, number, count, head from audit.family_chains order by key',
    ([key, number, count, head]) => {
      if (key == null || number == null || count == null || head == null) return;
      places.set(number.readInt32BE(), rows.length);
      rows.push(Buffer.concat([key, head, count]));
    },
  );
  const keys = Buffer.alloc(rows.length * HASH);
  const heads = Buffer.alloc(rows.length * HASH);
  const counts = new Float64Array(rows.length);
  rows.forEach((row, at) => {
    row.copy(keys, at * HASH, 0, HASH);
    row.copy(heads, at * HASH, HASH, 2 * HASH);
    counts[at] = Number(row.readBigInt64BE(2 * HASH));
  });
  return { keys, counts, heads, places };
}

/** The tree over all families that have a chain. */
export function familyTree({ keys, counts, heads }: FamilyChains): KeyedTree {
  const tree = new KeyedTree(keys);
  counts.forEach((count, at) => {
    if (count > 0) tree.set(at, { count, head: heads.subarray(at * HASH, (at + 1) * HASH) });
  });
  return tree;
}
