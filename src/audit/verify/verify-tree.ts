import type { Connection } from '../../platform/database/connection.js';
import { GrowingTree, rootOfPeaks } from '../../platform/transparency/merkle.js';
import { readLeafTiles, TILE_WIDTH } from '../leaf-tiles.js';
import type { Findings } from './finding.js';
import { ENTRY } from './tally.js';

const HASH = 32;
const FAMILY = 4;

export interface TreeWalk {
  /** Told of the root at each size that `wanted` names. */
  readonly onHead: (size: number, root: Buffer) => void;
  /** Told of each leaf and its entry; the buffers are those of a whole tile. */
  readonly onLeaf?: (
    entries: Buffer,
    entryAt: number,
    hashes: Buffer,
    hashAt: number,
    index: number,
    family: number,
  ) => void;
  readonly onProgress?: ((leaves: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Walks over all leaves that the tiles hold, computes the roots at the wanted sizes (ascending), and compares the
 * levels above with what follows from the leaves. Returns how many leaves there are.
 */
export async function walkTree(
  connection: Connection,
  wanted: readonly number[],
  findings: Findings,
  { onHead, onLeaf, onProgress, signal }: TreeWalk,
): Promise<number> {
  const sizes = [...new Set(wanted)].sort((a, b) => a - b);
  let next = 0;
  const upper = new UpperLevels();
  // Whole tiles are leaves of a tree of the same form.
  const above = new GrowingTree();
  let within = new GrowingTree();
  const tellHeads = (size: number) => {
    for (; sizes[next] === size; next += 1) onHead(size, rootOfPeaks([...above.peaks, ...within.peaks]));
  };
  tellHeads(0);
  let size = 0;
  for await (const tiles of readLeafTiles(connection)) {
    signal?.throwIfAborted();
    for (const { number, hashes, entries, families } of tiles) {
      const width = hashes.length / HASH;
      if (
        size !== number * TILE_WIDTH ||
        entries.length !== width * ENTRY ||
        families.length !== width * FAMILY
      ) {
        findings.fault('tiles_damaged', `tile 0/${number} does not follow the one before`, {
          object: `tile 0/${number}`,
        });
        return size;
      }
      for (let at = 0; at < width; at += 1) {
        within.append(Buffer.from(hashes.subarray(at * HASH, (at + 1) * HASH)));
        onLeaf?.(entries, at * ENTRY, hashes, at * HASH, size, families.readInt32BE(at * FAMILY));
        size += 1;
        if (at === TILE_WIDTH - 1) {
          const root = within.root();
          above.append(root);
          upper.add(root);
          within = new GrowingTree();
        }
        if (sizes[next] === size) tellHeads(size);
      }
    }
    onProgress?.(size);
  }
  await upper.compare(connection, findings);
  return size;
}

/** What the levels above the leaves must be: a tile of each being filled, and a running hash of the whole ones. */
class UpperLevels {
  readonly #levels: { readonly whole: Buffer[]; open: Buffer[] }[] = [];

  add(root: Buffer, level = 1): void {
    const at = this.#levels[level] ?? { whole: [], open: [] };
    this.#levels[level] = at;
    at.open.push(root);
    if (at.open.length < TILE_WIDTH) return;
    const tile = new GrowingTree();
    for (const hash of at.open) tile.append(hash);
    at.open = [];
    at.whole.push(tile.root());
    this.add(tile.root(), level + 1);
  }

  async compare(connection: Connection, findings: Findings): Promise<void> {
    const tiles = await connection.query<{ level: number; number: string; hashes: Buffer }>(
      'select level, number, hashes from audit.tiles where level > 0 order by level, number',
    );
    const expected = this.#levels.reduce(
      (sum, { whole, open }) => sum + whole.length + Math.min(1, open.length),
      0,
    );
    const wrong = tiles.find(({ level, number, hashes }) => !this.#agrees(level, Number(number), hashes));
    if (wrong !== undefined || tiles.length !== expected) {
      const object = wrong === undefined ? 'tiles' : `tile ${wrong.level}/${wrong.number}`;
      findings.fault('tiles_damaged', 'a level of the tree does not follow from the leaves below it', {
        object,
      });
    }
  }

  #agrees(level: number, number: number, hashes: Buffer): boolean {
    const at = this.#levels[level];
    if (at === undefined) return false;
    if (number === at.whole.length) return Buffer.concat(at.open).equals(hashes);
    const root = at.whole[number];
    if (root === undefined || hashes.length !== TILE_WIDTH * HASH) return false;
    const tile = new GrowingTree();
    for (let from = 0; from < hashes.length; from += HASH) tile.append(hashes.subarray(from, from + HASH));
    return tile.root().equals(root);
  }
}
