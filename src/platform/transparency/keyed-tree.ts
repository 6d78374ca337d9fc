/** The tree over the families of the audit log, as whoever signs or proves it builds it. */
import {
  bitOf,
  type Chain,
  type KeyedLeaf,
  type KeyedStep,
  keyedLeafHash,
  keyedNodeHash,
  NO_KEYS,
} from './keyed-path.js';

const HASH = 32;

/**
 * A tree over keys that are all known beforehand, though they come into it one by one: a key without a chain yet is not
 * there, and a node of which one side is not there is its other side. Memory grows with the keys, about 150 bytes each.
 */
export class KeyedTree {
  /** Ascending, 32 bytes each. */
  readonly #keys: Buffer;
  readonly #size: number;
  readonly #counts: Float64Array;
  readonly #heads: Buffer;
  /** Inner nodes come behind the leaves: node `size + i` parts the keys up to i from those behind, at `bits[i]`. */
  readonly #bits: Uint8Array;
  readonly #left: Int32Array;
  readonly #right: Int32Array;
  readonly #parent: Int32Array;
  readonly #hashes: Buffer;
  readonly #dirty: Uint8Array;
  readonly #there: Uint8Array;
  #root: number;

  /** `keys`: ascending, each once, 32 bytes each, one behind the other. */
  constructor(keys: Buffer) {
    const size = keys.length / HASH;
    this.#keys = keys;
    this.#size = size;
    this.#counts = new Float64Array(size);
    this.#heads = Buffer.alloc(size * HASH);
    const inner = Math.max(0, size - 1);
    this.#bits = new Uint8Array(inner);
    this.#left = new Int32Array(inner);
    this.#right = new Int32Array(inner);
    this.#parent = new Int32Array(size + inner).fill(-1);
    this.#hashes = Buffer.alloc((size + inner) * HASH);
    this.#dirty = new Uint8Array(size + inner);
    this.#there = new Uint8Array(size + inner);
    this.#root = size - 1;
    this.#grow();
  }

  /** Joins neighbours at the first bit in which they differ, the highest bits last. */
  #grow(): void {
    const open: number[] = [];
    let node = 0;
    for (let at = 0; at < this.#size - 1; at += 1) {
      const bit = this.#difference(at);
      let low = at;
      for (let top = open.at(-1); top !== undefined && (this.#bits[top] as number) > bit; top = open.at(-1)) {
        low = this.#join(top, low);
        open.pop();
      }
      this.#bits[at] = bit;
      this.#left[at] = low;
      open.push(at);
    }
    node = this.#size - 1;
    for (let top = open.pop(); top !== undefined; top = open.pop()) node = this.#join(top, node);
    this.#root = node;
  }

  #join(inner: number, right: number): number {
    const node = this.#size + inner;
    this.#right[inner] = right;
    this.#parent[this.#left[inner] as number] = node;
    this.#parent[right] = node;
    return node;
  }

  #difference(at: number): number {
    for (let byte = 0; byte < HASH; byte += 1) {
      const other = (this.#keys[at * HASH + byte] as number) ^ (this.#keys[(at + 1) * HASH + byte] as number);
      if (other !== 0) return byte * 8 + Math.clz32(other) - 24;
    }
    throw new Error('a key is there twice');
  }

  /** Sets the chain of the key that comes `at`, from 0. */
  set(at: number, { count, head }: Chain): void {
    this.#counts[at] = count;
    head.copy(this.#heads, at * HASH);
    this.#there[at] = 1;
    for (let node = at; node !== -1 && this.#dirty[node] === 0; node = this.#parent[node] as number)
      this.#dirty[node] = 1;
  }

  leaf(at: number): KeyedLeaf {
    return {
      key: this.#keys.subarray(at * HASH, (at + 1) * HASH),
      count: this.#counts[at] as number,
      head: this.#heads.subarray(at * HASH, (at + 1) * HASH),
    };
  }

  root(): Buffer {
    if (this.#size === 0) return NO_KEYS;
    this.#settle(this.#root);
    return this.#there[this.#root] === 1 ? Buffer.from(this.#hashOf(this.#root)) : NO_KEYS;
  }

  /** Where whoever looks for a key ends, and the way back up; undefined where no key is there. */
  walk(key: Buffer): { readonly leaf: KeyedLeaf; readonly steps: readonly KeyedStep[] } | undefined {
    this.root();
    if (this.#size === 0 || this.#there[this.#root] === 0) return undefined;
    const steps: KeyedStep[] = [];
    let node = this.#root;
    while (node >= this.#size) {
      const inner = node - this.#size;
      const sides = [this.#left[inner] as number, this.#right[inner] as number] as const;
      const there = sides.filter((side) => this.#there[side] === 1);
      if (there.length === 1) {
        node = there[0] as number;
        continue;
      }
      const bit = this.#bits[inner] as number;
      const side = bitOf(key, bit);
      steps.push({ bit, sibling: Buffer.from(this.#hashOf(side === 0 ? sides[1] : sides[0])) });
      node = side === 0 ? sides[0] : sides[1];
    }
    return { leaf: this.leaf(node), steps: steps.reverse() };
  }

  #hashOf(node: number): Buffer {
    return this.#hashes.subarray(node * HASH, (node + 1) * HASH);
  }

  /** No deeper than keys have bits. */
  #settle(node: number): void {
    if (this.#dirty[node] === 0) return;
    this.#dirty[node] = 0;
    if (node < this.#size) {
      keyedLeafHash(this.leaf(node)).copy(this.#hashes, node * HASH);
      return;
    }
    const inner = node - this.#size;
    const [left, right] = [this.#left[inner] as number, this.#right[inner] as number];
    this.#settle(left);
    this.#settle(right);
    const both = this.#there[left] === 1 && this.#there[right] === 1;
    const hash = both
      ? keyedNodeHash(this.#bits[inner] as number, this.#hashOf(left), this.#hashOf(right))
      : this.#hashOf(this.#there[left] === 1 ? left : right);
    hash.copy(this.#hashes, node * HASH);
    this.#there[node] = 1;
  }
}
