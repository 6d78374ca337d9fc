import type { Truth } from './truth.js';
import { allOf, anyOf, negated } from './truth.js';

/** A call in a condition, with its constant arguments; null stands for one that is no constant. */
export interface Call {
  readonly schema: string | undefined;
  readonly name: string;
  readonly args: readonly (string | null)[];
}

/**
 * A condition of a policy, taken apart as far as AND, OR, NOT and CASE go. `sql` is the policy's own text, letter by
 * letter. The parts of a `case` are condition and result by turns, with the ELSE last.
 */
export interface Condition {
  readonly kind: 'all' | 'any' | 'not' | 'case' | 'test';
  readonly sql: string;
  readonly parts: readonly Condition[];
  /** Functions that a test calls. */
  readonly calls: readonly Call[];
  /** Set where a test asks whether a column of the row is among what a call yields. */
  readonly among?: { readonly column: string; readonly call: Call } | undefined;
}

/** Every test of a condition, in order. */
export function testsOf(condition: Condition): Condition[] {
  return condition.kind === 'test' ? [condition] : condition.parts.flatMap(testsOf);
}

/** What a condition of a kind comes to by what its parts come to. */
export function combine(kind: Exclude<Condition['kind'], 'test'>, parts: readonly Truth[]): Truth {
  switch (kind) {
    case 'all':
      return allOf(parts);
    case 'any':
      return anyOf(parts);
    case 'not':
      return negated(parts[0] as Truth);
    case 'case':
      return firstArm(parts);
  }
}

/** The result of the first arm whose condition is true; null where there is no ELSE either. */
function firstArm(parts: readonly Truth[]): Truth {
  for (let at = 0; at + 1 < parts.length; at += 2) {
    if (parts[at] === 'unknown') return 'unknown';
    if (parts[at] === true) return parts[at + 1] as Truth;
  }
  return parts.length % 2 === 1 ? (parts.at(-1) as Truth) : null;
}
