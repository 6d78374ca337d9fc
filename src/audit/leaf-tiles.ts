import { ByteBuilder } from '../platform/byte-builder.js';
import { collectGarbage } from '../platform/collect-garbage.js';
import type { Connection } from '../platform/database/connection.js';
import { copyRows } from './copy-rows.js';

/** Leaves of a whole tile. */
export const TILE_WIDTH = 256;

/** Tiles are read so many at once; 2 MB. */
const PAGE = 128;

/** A tile of the leaves of the tree, whole or being filled. */
export interface LeafTile {
  readonly number: number;
  /** 32 bytes each. */
  readonly hashes: Buffer;
  /** 30 bytes each. */
  readonly entries: Buffer;
  /** The number of the family of each, 4 bytes; 0 for none. */
  readonly families: Buffer;
}

/**
 * The tiles of leaves that the database holds, some at a time, in their order, from a tile on and before another. What
 * is handed over may be looked at until the next is asked for: memory does not grow with the tree.
 */
export async function* readLeafTiles(
  connection: Connection,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly LeafTile[]> {
  const bytes = new ByteBuilder();
  for (let first = from; first < to; first += PAGE) {
    const end = Math.min(to, first + PAGE);
    if (first > from) collectGarbage();
    const numbers: number[] = [];
    const lengths: number[] = [];
    bytes.start();
    await copyRows(
      connection,
      `select number, hashes, entries, families from audit.tiles
       where level = 0 and number >= ${first} and number < ${end} order by number`,
      ([number, ...parts]) => {
        if (number == null) return;
        numbers.push(Number(number.readBigInt64BE()));
        for (const part of parts) {
          bytes.raw(part ?? Buffer.alloc(0));
          lengths.push(part?.length ?? 0);
        }
      },
    );
    yield tilesOf(numbers, lengths, bytes.bytes());
    if (numbers.length < end - first) return;
  }
}

function tilesOf(numbers: readonly number[], lengths: readonly number[], bytes: Buffer): LeafTile[] {
  let at = 0;
  const parts = lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
  return numbers.map((number, place) => {
    const [hashes, entries, families] = parts.slice(3 * place) as [Buffer, Buffer, Buffer];
    return { number, hashes, entries, families };
  });
}
