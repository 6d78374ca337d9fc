import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { rootFromWalk } from '../../src/platform/transparency/keyed-path.js';
import { KeyedTree } from '../../src/platform/transparency/keyed-tree.js';

const sha256 = (...bytes: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(bytes)).digest();

interface Entry {
  readonly key: Buffer;
  readonly count: number;
  readonly head: Buffer;
}

const bit = (key: Buffer, at: number) => ((key[Math.floor(at / 8)] as number) >> (7 - (at % 8))) % 2;

/** The root by sql/docs/audit-bundle.md alone. */
function rootOf(entries: readonly Entry[], from = 0): Buffer {
  const [first] = entries;
  if (first === undefined) return sha256();
  if (entries.length === 1) {
    const count = Buffer.alloc(8);
    count.writeBigInt64BE(BigInt(first.count));
    return sha256(Buffer.of(3), first.key, count, first.head);
  }
  const sides = [0, 1].map((side) => entries.filter(({ key }) => bit(key, from) === side));
  const [left = [], right = []] = sides;
  if (left.length === 0 || right.length === 0) return rootOf(entries, from + 1);
  return sha256(Buffer.of(4, from), rootOf(left, from + 1), rootOf(right, from + 1));
}

/** Random keys, half of them alike in their first bytes, ascending. */
function someEntries(count: number): Entry[] {
  const entries = Array.from({ length: count }, (_, at): Entry => {
    const key = randomBytes(32);
    if (at % 2 === 0) key.fill(at % 4 === 0 ? 0 : 0xff, 0, 1 + (at % 31));
    return { key, count: 1 + (at % 5), head: randomBytes(32) };
  });
  return entries.sort((a, b) => Buffer.compare(a.key, b.key));
}

function treeOver(entries: readonly Entry[]): KeyedTree {
  return new KeyedTree(Buffer.concat(entries.map(({ key }) => key)));
}

describe('the tree of families', () => {
  it('has the root of the page, whichever of its keys are there and in whatever order they came', () => {
    for (const count of [0, 1, 2, 3, 4, 7, 16, 61, 200]) {
      const entries = someEntries(count);
      const tree = treeOver(entries);
      expect(tree.root()).toEqual(rootOf([]));
      const there = new Set<number>();
      for (const at of entries.keys()) {
        const next = (at * 7 + 3) % count;
        const place = there.has(next) ? at : next;
        if (there.has(place)) continue;
        there.add(place);
        tree.set(place, entries[place] as Entry);
        if (at % 5 === 0) expect(tree.root()).toEqual(rootOf(entries.filter((_, one) => there.has(one))));
      }
      expect(tree.root()).toEqual(rootOf(entries.filter((_, one) => there.has(one))));
    }
  });

  it('follows a chain that goes on', () => {
    const entries = someEntries(50);
    const tree = treeOver(entries);
    for (const [at, entry] of entries.entries()) tree.set(at, entry);
    tree.root();
    const changed = entries.map((entry, at) => (at % 9 === 0 ? { ...entry, count: 99 } : entry));
    for (const [at, entry] of changed.entries()) if (at % 9 === 0) tree.set(at, entry);
    expect(tree.root()).toEqual(rootOf(changed));
  });

  it('leads every key to its leaf, and every other to one that shows it is not there', () => {
    for (const count of [1, 2, 3, 20, 150]) {
      const entries = someEntries(count);
      const tree = treeOver(entries);
      for (const [at, entry] of entries.entries()) tree.set(at, entry);
      const root = tree.root();
      for (const { key, ...chain } of entries) {
        const walk = tree.walk(key);
        if (walk === undefined) throw new Error('it leads nowhere');
        expect(walk.leaf).toMatchObject({ key, ...chain });
        expect(rootFromWalk(key, walk.leaf, walk.steps)).toEqual(root);
        const other = { ...walk.leaf, count: walk.leaf.count + 1 };
        expect(rootFromWalk(key, other, walk.steps)).not.toEqual(root);
        // Nobody can show that it is not there by the way to another leaf.
        for (const { key: elsewhere } of entries) {
          const path = tree.walk(elsewhere);
          if (path === undefined || elsewhere.equals(key)) continue;
          expect(rootFromWalk(key, path.leaf, path.steps)?.equals(root)).not.toBe(true);
        }
      }
      for (let round = 0; round < 50; round += 1) {
        const absent = randomBytes(32);
        const walk = tree.walk(absent);
        if (walk === undefined) throw new Error('it leads nowhere');
        expect(walk.leaf.key.equals(absent)).toBe(false);
        expect(rootFromWalk(absent, walk.leaf, walk.steps)).toEqual(root);
      }
    }
    expect(treeOver([]).walk(randomBytes(32))).toBeUndefined();
  });

  it('takes no way whose bits do not descend', () => {
    const entries = someEntries(40);
    const tree = treeOver(entries);
    for (const [at, entry] of entries.entries()) tree.set(at, entry);
    const walk = tree.walk((entries[7] as Entry).key);
    if (walk === undefined || walk.steps.length < 2) throw new Error('too short a way');
    const { key } = entries[7] as Entry;
    expect(rootFromWalk(key, walk.leaf, [...walk.steps].reverse())).toBeUndefined();
    expect(rootFromWalk(key, walk.leaf, [walk.steps[0] as never, ...walk.steps])).toBeUndefined();
    expect(rootFromWalk(key, walk.leaf, walk.steps.slice(1))).not.toEqual(tree.root());
  });
});
