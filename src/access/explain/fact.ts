import type { Truth } from './truth.js';

/** What a fact comes to: a truth, or the row scope that a permission has (`scope:all`, `scope:none`, …). */
export type Value = Truth | `scope:${string}`;

/** Something that a decision rests on and that could be otherwise. */
export interface Fact {
  /** The same key is the same fact, however many policies ask for it. */
  readonly key: string;
  readonly value: Value;
  /** How it is. */
  readonly text: string;
  /** What else it could be, in words that follow "if". */
  readonly changes: readonly { readonly to: Value; readonly would: string }[];
  /** Among equally small answers the one of least cost is given: what people can mend comes before what they cannot. */
  readonly cost: number;
}

/** A world is what every fact comes to in it. */
export type World = ReadonlyMap<string, Value>;

export interface Change {
  readonly fact: Fact;
  readonly to: Value;
  readonly would: string;
}

/** More than the facts of one membership, one account, one family and one row that can all be wrong at once. */
const LARGEST = 16;
/** Sets of one size that are looked at: a policy can be a riddle, and a person is waiting. */
const WIDEST = 400;

/**
 * The smallest set of changes that makes a decision true, the least costly of that size; undefined where none was
 * found. Each fact is changed once at most. `culprits` names facts of which at least one must change before the
 * decision can be true in a world, so that nothing else need be tried there. Where there are more sets of a size than
 * are looked at, the least costly are, and the answer need not be the smallest.
 */
export function smallestChange(
  facts: readonly Fact[],
  decide: (world: World) => Truth,
  culprits: (world: World) => readonly Fact[],
): readonly Change[] | undefined {
  const changesOf = new Map(facts.map((fact) => [fact.key, fact.value === 'unknown' ? [] : fact.changes]));
  const given = worldOf(facts);
  let sets: readonly (readonly Change[])[] = [[]];
  for (let size = 0; size <= LARGEST && sets.length > 0; size++) {
    const larger = new Map<string, readonly Change[]>();
    for (const changes of sets) {
      const world = new Map(given);
      for (const { fact, to } of changes) world.set(fact.key, to);
      if (decide(world) === true) return changes;
      for (const fact of culprits(world)) {
        if (changes.some((change) => change.fact.key === fact.key)) continue;
        for (const { to, would } of changesOf.get(fact.key) ?? []) {
          const set = [...changes, { fact, to, would }];
          larger.set(named(set), set);
        }
      }
    }
    sets = [...larger.values()].sort((one, other) => costOf(one) - costOf(other)).slice(0, WIDEST);
  }
  return undefined;
}

/** The same for the same changes in any order. */
function named(changes: readonly Change[]): string {
  return JSON.stringify(changes.map(({ fact, to }) => [fact.key, to]).sort());
}

export function worldOf(facts: readonly Fact[]): World {
  return new Map(facts.map(({ key, value }) => [key, value]));
}

function costOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { fact }) => sum + fact.cost, 0);
}
