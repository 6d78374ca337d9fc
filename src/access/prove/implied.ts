import type { Condition } from '../explain/condition.js';
import { wantedBy } from '../explain/membership.js';
import type { ParseCondition } from '../explain/parse-condition.js';
import { siblings } from './condition-text.js';
import type { ConditionTrace } from './mutant.js';

/** A part of an AND that the other parts imply. */
export function impliedBySiblings(
  { policy, part, path, dropped }: ConditionTrace,
  parse: ParseCondition,
): string | undefined {
  const found = dropped ? siblings(parse(policy[part] ?? ''), path) : undefined;
  return found?.rest.some((one) => implies(one, found.dropped)) === true
    ? 'the rest of the condition implies it: each of its ways asks the same permission for some of the same row scopes'
    : undefined;
}

/** Whether one condition cannot hold without the other, by their texts alone. */
function implies(one: Condition, other: Condition): boolean {
  if (one.kind === 'all') return one.parts.some((part) => implies(part, other));
  if (one.kind === 'any') return one.parts.every((part) => implies(part, other));
  if (one.sql === other.sql) return true;
  const [a, b] = [wantedBy(one), wantedBy(other)];
  return (
    a !== undefined &&
    a.permission === b?.permission &&
    one.among?.column === other.among?.column &&
    a.scopes.every((scope) => b.scopes.includes(scope))
  );
}

/** `in (a or b) and (in a or (in b and x))`: who is not in a is in b, so that b need not be asked again. */
export function leftByTheOthers(
  { policy, part, path, dropped }: ConditionTrace,
  parse: ParseCondition,
): string | undefined {
  if (!dropped) return undefined;
  const [outer, arms]: [Condition[], Condition[]] = [[], []];
  let here = parse(policy[part] ?? '');
  for (const at of path) {
    if (here.kind !== 'all' && here.kind !== 'any') return undefined;
    (here.kind === 'all' ? outer : arms).push(...here.parts.filter((_, other) => other !== at));
    here = here.parts[at] as Condition;
  }
  const wanted = wantedBy(here);
  if (wanted === undefined) return undefined;
  const scopesIn = (list: readonly Condition[]) =>
    list.flatMap((one) => {
      const asks = wantedBy(one);
      return asks?.permission === wanted.permission && one.among?.column === here.among?.column
        ? [asks.scopes]
        : [];
    });
  const others = [...wanted.scopes, ...scopesIn(arms).flat()];
  return scopesIn(outer).some((scopes) => scopes.every((scope) => others.includes(scope)))
    ? 'a membership has one row scope: the condition before lets in no other, and another arm of the OR takes the rest'
    : undefined;
}

/** A row scope asked for beside others that an arm of the same OR asks for already. */
export function givenByAnotherArm(
  { policy, part, path, added }: ConditionTrace,
  parse: ParseCondition,
): string | undefined {
  if (added === undefined) return undefined;
  let here = parse(policy[part] ?? '');
  for (const at of path) {
    const arms = here.kind === 'any' ? here.parts.filter((_, other) => other !== at) : [];
    const gives = arms.some((arm) => {
      const wanted = wantedBy(arm);
      return wanted?.permission === added.permission && wanted.scopes.includes(added.scope);
    });
    if (gives) return 'another arm of the same OR asks for just that, and nothing more';
    here = here.parts[at] as Condition;
  }
  return undefined;
}
