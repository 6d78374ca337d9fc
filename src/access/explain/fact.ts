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

const LARGEST = 6;
/** Worlds looked at before the search gives up: a policy can be a riddle, and a person is waiting. */
const PATIENCE = 2_000;

/**
 * The smallest set of changes that makes a decision true, the least costly of that size; undefined where none was
 * found. Each fact is changed once at most. `culprits` names facts of which at least one must change before the
 * decision can be true in a world, so that nothing else need be tried there.
 */
export function smallestChange(
  facts: readonly Fact[],
  decide: (world: World) => Truth,
  culprits: (world: World) => readonly Fact[],
): readonly Change[] | undefined {
  const changesOf = new Map(facts.map((fact) => [fact.key, fact.value === 'unknown' ? [] : fact.changes]));
  let left = PATIENCE;
  let best: readonly Change[] | undefined;
  const search = (world: World, changes: readonly Change[], depth: number): void => {
    if (best !== undefined && costOf(changes) >= costOf(best)) return;
    if (decide(world) === true) {
      best = changes;
      return;
    }
    if (depth === 0 || --left <= 0) return;
    for (const fact of culprits(world)) {
      if (changes.some((change) => change.fact.key === fact.key)) continue;
      for (const { to, would } of changesOf.get(fact.key) ?? []) {
        search(new Map(world).set(fact.key, to), [...changes, { fact, to, would }], depth - 1);
      }
    }
  };
  for (let size = 1; size <= LARGEST && best === undefined && left > 0; size++)
    search(worldOf(facts), [], size);
  return best;
}

export function worldOf(facts: readonly Fact[]): World {
  return new Map(facts.map(({ key, value }) => [key, value]));
}

function costOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { fact }) => sum + fact.cost, 0);
}
