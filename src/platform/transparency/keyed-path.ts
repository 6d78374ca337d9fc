/** The tree over the families of the audit log, as a verifier sees it; sql/docs/audit-bundle.md has its format. */
import { hash } from 'node:crypto';

/** How a family's chain stands: how many leaves are of it, and the hash at their end. */
export interface Chain {
  readonly count: number;
  readonly head: Buffer;
}

/** A leaf of the tree: the key of a family, 32 bytes, and its chain. */
export interface KeyedLeaf extends Chain {
  readonly key: Buffer;
}

/** A node on the way up from a leaf: the bit of the key that decides there, from 0, and the hash of the other side. */
export interface KeyedStep {
  readonly bit: number;
  readonly sibling: Buffer;
}

/** The root over no families at all. */
export const NO_KEYS = hash('sha256', Buffer.alloc(0), 'buffer');

/** Where every chain begins. */
export const NO_LINK = Buffer.alloc(32);

/** SHA-256(02 ‖ head ‖ index, 8 bytes ‖ leaf): the chain once this leaf is in it. */
export function linkHash(head: Buffer, index: number, leaf: Buffer): Buffer {
  const bytes = Buffer.alloc(73, 2);
  head.copy(bytes, 1);
  bytes.writeBigUInt64BE(BigInt(index), 33);
  leaf.copy(bytes, 41);
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256(03 ‖ key ‖ count, 8 bytes ‖ head). */
export function keyedLeafHash({ key, count, head }: KeyedLeaf): Buffer {
  const bytes = Buffer.alloc(73, 3);
  key.copy(bytes, 1);
  bytes.writeBigUInt64BE(BigInt(count), 33);
  head.copy(bytes, 41);
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256(04 ‖ bit ‖ left ‖ right): left are the keys in which the bit is 0. */
export function keyedNodeHash(bit: number, left: Buffer, right: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(4, bit), left, right]), 'buffer');
}

export function bitOf(key: Buffer, bit: number): number {
  return ((key[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
}

/**
 * The root that follows when whoever looks for `wanted` ends at this leaf by these steps, the one next to the leaf
 * first; undefined where the way is none. At each node there is one way to go on for a key, so that one root gives one
 * answer: the leaf is the wanted one, or the tree has none.
 */
export function rootFromWalk(
  wanted: Buffer,
  leaf: KeyedLeaf,
  steps: readonly KeyedStep[],
): Buffer | undefined {
  let node = keyedLeafHash(leaf);
  let below = 256;
  for (const { bit, sibling } of steps) {
    const side = bitOf(wanted, bit);
    if (bit < 0 || bit >= below || bitOf(leaf.key, bit) !== side) return undefined;
    node = side === 0 ? keyedNodeHash(bit, node, sibling) : keyedNodeHash(bit, sibling, node);
    below = bit;
  }
  return node;
}
