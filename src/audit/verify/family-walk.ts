import type { Chain } from '../../platform/transparency/keyed-path.js';
import { linkHash, NO_LINK } from '../../platform/transparency/keyed-path.js';
import { KeyedTree } from '../../platform/transparency/keyed-tree.js';
import type { FamilyChains } from '../seal/family-chains.js';
import type { Findings } from './finding.js';
import type { JudgedHead } from './judge-heads.js';

const HASH = 32;

/**
 * Computes the chains of all families anew while the leaves of the tree go by, and the root over them wherever a head
 * was signed. Memory grows with the families, not with the leaves.
 */
export class FamilyWalk {
  readonly #kept: FamilyChains;
  readonly #tree: KeyedTree;
  readonly #counts: Float64Array;
  readonly #heads: Buffer;
  /** Families that were added to since the last root. */
  #touched = new Set<number>();
  readonly #roots = new Map<number, Buffer>();
  /** The first leaf that is said to be of a family, and no chain has its number. */
  #stray: number | undefined;

  constructor(kept: FamilyChains) {
    this.#kept = kept;
    this.#tree = new KeyedTree(kept.keys);
    this.#counts = new Float64Array(kept.counts.length);
    this.#heads = Buffer.alloc(kept.heads.length, NO_LINK);
  }

  /** The key of the family that tiles have this number for; undefined for none. */
  keyOf(number: number): Buffer | undefined {
    const place = this.#kept.places.get(number);
    return place === undefined ? undefined : this.#kept.keys.subarray(place * HASH, (place + 1) * HASH);
  }

  add(number: number, index: number, hashes: Buffer, hashAt: number): void {
    const place = this.#kept.places.get(number);
    if (place === undefined) {
      if (number !== 0) this.#stray ??= index;
      return;
    }
    const { head } = this.#chain(place);
    linkHash(head, index, hashes.subarray(hashAt, hashAt + HASH)).copy(this.#heads, place * HASH);
    this.#counts[place] = (this.#counts[place] as number) + 1;
    this.#touched.add(place);
  }

  /** A head was signed at this many leaves. */
  mark(size: number): void {
    for (const place of this.#touched) this.#tree.set(place, this.#chain(place));
    this.#touched = new Set();
    this.#roots.set(size, this.#tree.root());
  }

  /** Whether the chains are those that were signed, and those that the database keeps. */
  judge(heads: readonly JudgedHead[], findings: Findings): void {
    const wrong = heads.find(
      ({ standing, checkpoint }) =>
        standing === 'matches' && this.#roots.get(checkpoint.size)?.equals(checkpoint.families) === false,
    );
    if (wrong !== undefined) {
      const { size, madeAt } = wrong.checkpoint;
      findings.fault(
        'families_changed',
        `the head that was signed ${madeAt} has other histories of families than these leaves`,
        { object: `checkpoint ${size}` },
      );
    }
    if (this.#stray !== undefined) {
      findings.fault('families_changed', 'it stands in the chain of a family that is not kept', {
        object: `leaf ${this.#stray}`,
      });
    }
    const { counts, heads: kept, keys } = this.#kept;
    for (let place = 0; place < counts.length; place += 1) {
      const end = (place + 1) * HASH;
      const same = kept.subarray(end - HASH, end).equals(this.#chain(place).head);
      if (same && counts[place] === this.#counts[place]) continue;
      findings.fault('families_changed', 'its chain is not that of the leaves that are of it', {
        object: `family ${keys.toString('hex', end - HASH, end)}`,
      });
    }
  }

  #chain(place: number): Chain {
    return {
      count: this.#counts[place] as number,
      head: this.#heads.subarray(place * HASH, (place + 1) * HASH),
    };
  }
}
