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

const LARGEST = 5;
/** More facts than this are searched for pairs at most: the count grows with the power of the size. */
const MANY = 24;

/**
 * The smallest set of changes that makes a decision true, undefined where none of up to five does. Each fact is
 * changed once at most.
 */
export function smallestChange(
  facts: readonly Fact[],
  decide: (world: World) => Truth,
): readonly Change[] | undefined {
  const world = worldOf(facts);
  const candidates = facts
    .filter((fact) => fact.value !== 'unknown')
    .flatMap((fact) => fact.changes.map(({ to, would }): Change => ({ fact, to, would })));
  for (let size = 1; size <= (candidates.length > MANY ? 2 : LARGEST); size++) {
    let best: readonly Change[] | undefined;
    for (const changes of subsets(candidates, size)) {
      if (best !== undefined && costOf(changes) >= costOf(best)) continue;
      const changed = new Map(world);
      for (const { fact, to } of changes) changed.set(fact.key, to);
      if (decide(changed) === true) best = changes;
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

export function worldOf(facts: readonly Fact[]): World {
  return new Map(facts.map(({ key, value }) => [key, value]));
}

function costOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { fact }) => sum + fact.cost, 0);
}

function* subsets(candidates: readonly Change[], size: number, from = 0): Generator<Change[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at < candidates.length; at++) {
    const first = candidates[at] as Change;
    for (const rest of subsets(candidates, size - 1, at + 1)) {
      if (rest.every(({ fact }) => fact.key !== first.fact.key)) yield [first, ...rest];
    }
  }
}
