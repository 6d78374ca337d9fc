import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import {
  GrowingTree,
  joined,
  nodeHash,
  type Subtree,
  subtreesOf,
} from '../../platform/transparency/merkle.js';
import { readLeafTiles, TILE_WIDTH } from '../leaf-tiles.js';

const HASH = 32;

/** Reads the hash of any whole subtree from the tiles in the database, each tile once. */
export function tileReader(connection: Connection): (tree: Subtree) => Promise<Buffer> {
  const tiles = new Map<string, Promise<Buffer>>();
  const read = async (level: number, number: number): Promise<Buffer> => {
    const [tile] = await connection.query<{ hashes: Buffer }>(
      sql`select hashes from audit.tiles where level = ${level} and number = ${number}`,
    );
    return tile?.hashes ?? Buffer.alloc(0);
  };
  return async ({ height, index }) => {
    const level = Math.floor(height / 8);
    const count = 2 ** (height % 8);
    const first = index * count;
    const place = `${level}/${Math.floor(first / TILE_WIDTH)}`;
    const tile = tiles.get(place) ?? read(level, Math.floor(first / TILE_WIDTH));
    tiles.set(place, tile);
    const start = (first % TILE_WIDTH) * HASH;
    const hashes = (await tile).subarray(start, start + count * HASH);
    if (hashes.length !== count * HASH) throw hole(place);
    return whole(hashes);
  };
}

/** The root over 2^n hashes. */
function whole(hashes: Buffer): Buffer {
  if (hashes.length === HASH) return hashes;
  const middle = hashes.length / 2;
  return nodeHash(whole(hashes.subarray(0, middle)), whole(hashes.subarray(middle)));
}

/** The tree as it was at a size, ready to grow. Throws `tiles_damaged`. */
export async function treeAt(connection: Connection, size: number): Promise<GrowingTree> {
  const read = tileReader(connection);
  const peaks: Buffer[] = [];
  for (const tree of subtreesOf(size)) peaks.push(await joined([tree], read));
  return new GrowingTree(size, peaks);
}

/** Appends the leaves that the database holds beyond the tree, up to `size`. Throws `tiles_damaged`. */
export async function growTo(connection: Connection, tree: GrowingTree, size: number): Promise<void> {
  const [from, to] = [Math.floor(tree.size / TILE_WIDTH), Math.ceil(size / TILE_WIDTH)];
  for await (const tiles of readLeafTiles(connection, from, to)) {
    for (const { number, hashes } of tiles) {
      const first = number * TILE_WIDTH;
      if (first > tree.size) break;
      const end = Math.min(hashes.length / HASH, size - first);
      for (let at = tree.size - first; at < end; at += 1)
        tree.append(Buffer.from(hashes.subarray(at * HASH, (at + 1) * HASH)));
    }
  }
  if (tree.size < size) throw hole(`0/${Math.floor(tree.size / TILE_WIDTH)}`);
}

function hole(tile: string): NestctlError {
  return new NestctlError(`The tree of the audit log has a hole: tile ${tile} is not whole.`, {
    kind: 'conflict',
    code: 'tiles_damaged',
    hint: 'Nothing is signed over a tree that was tampered with.',
    next: 'nestctl audit verify',
  });
}
