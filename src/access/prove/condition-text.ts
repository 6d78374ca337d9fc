import type { Condition } from '../explain/condition.js';

/** A node of a condition by the way to it: the index of the part at each depth. */
export type Path = readonly number[];

/** Every part of a condition below the whole, outer ones first. What a CASE holds stays as it is. */
export function partsBelow(condition: Condition, path: Path = []): { path: Path; part: Condition }[] {
  if (condition.kind === 'test' || condition.kind === 'case') return [];
  return condition.parts.flatMap((part, at) => {
    const here = [...path, at];
    return [{ path: here, part }, ...partsBelow(part, here)];
  });
}

/** The text of a condition with the part at a path put otherwise. */
export function rewritten(condition: Condition, path: Path, text: string): string {
  const [first, ...rest] = path;
  if (first === undefined) return text;
  const parts = condition.parts.map((part, at) => (at === first ? rewritten(part, rest, text) : part.sql));
  if (condition.kind === 'not') return `(not (${parts[0]}))`;
  return `(${parts.map((part) => `(${part})`).join(condition.kind === 'all' ? ' and ' : ' or ')})`;
}

/** The part at a path, and the same condition without it: what an AND still asks when one part is gone. */
export function siblings(
  condition: Condition,
  path: Path,
): { dropped: Condition; rest: readonly Condition[] } | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return undefined;
  const part = condition.parts[first] as Condition;
  if (rest.length > 0) return siblings(part, rest);
  return condition.kind === 'all'
    ? { dropped: part, rest: condition.parts.filter((_, at) => at !== first) }
    : undefined;
}
