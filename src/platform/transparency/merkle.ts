/** The Merkle tree of RFC 6962, section 2.1, over leaf hashes that are there already. Hashes are 32 bytes. */
import { hash } from 'node:crypto';
import { nodeHash } from './inclusion.js';

export { nodeHash } from './inclusion.js';

const EMPTY = hash('sha256', Buffer.alloc(0), 'buffer');

/** A tree that grows at its end and remembers no more than its root needs: one hash for each bit of its size. */
export class GrowingTree {
  #size: number;
  /** Roots of the whole subtrees it is made of, from the largest. */
  readonly #peaks: Buffer[];
  readonly #pair = Buffer.alloc(65, 1);

  /** Empty, or gone on with from `peaks` as `subtreesOf(size)` names them. */
  constructor(size = 0, peaks: readonly Buffer[] = []) {
    this.#size = size;
    this.#peaks = [...peaks];
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Buffer): void {
    let node = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      (this.#peaks.pop() as Buffer).copy(this.#pair, 1);
      node.copy(this.#pair, 33);
      node = hash('sha256', this.#pair, 'buffer');
    }
    this.#peaks.push(node);
    this.#size += 1;
  }

  /** Roots of the whole subtrees it is made of, from the largest. */
  get peaks(): readonly Buffer[] {
    return this.#peaks;
  }

  root(): Buffer {
    return rootOfPeaks(this.#peaks);
  }
}

/** The root over whole subtrees that lie side by side, from the largest. */
export function rootOfPeaks(peaks: readonly Buffer[]): Buffer {
  return peaks.length === 0 ? EMPTY : peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** A whole subtree: 2^`height` leaves, of which the first is `index` × 2^`height`. */
export interface Subtree {
  readonly height: number;
  readonly index: number;
}

/** The whole subtrees that a tree of this size is made of, from the largest. */
export function subtreesOf(size: number): Subtree[] {
  return cover(0, size);
}

/** The whole subtrees that cover the leaves from `start` up to `end`, in order. */
function cover(start: number, end: number): Subtree[] {
  const trees: Subtree[] = [];
  for (let at = start; at < end; ) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= end) height += 1;
    trees.push({ height, index: at / 2 ** height });
    at += 2 ** height;
  }
  return trees;
}

/**
 * The way from a leaf to the root of a tree of this size (PATH of RFC 6962): each hash is that of the leaves that
 * the named subtrees cover together, the leaf's own neighbour first.
 */
export function pathOf(leaf: number, size: number): Subtree[][] {
  const path: Subtree[][] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + 2 ** Math.ceil(Math.log2(end - start) - 1);
    if (leaf < middle) {
      path.push(cover(middle, end));
      end = middle;
    } else {
      path.push(cover(start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/** The hash over subtrees that lie side by side, as `pathOf` and `subtreesOf` name them. */
export async function joined(
  trees: readonly Subtree[],
  read: (tree: Subtree) => Promise<Buffer>,
): Promise<Buffer> {
  const peaks: Buffer[] = [];
  for (const tree of trees) peaks.push(await read(tree));
  return rootOfPeaks(peaks);
}
