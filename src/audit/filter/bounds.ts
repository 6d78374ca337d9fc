import type { CompileOptions } from './compile-filter.js';
import type { Expression, Filter } from './parse-filter.js';

/** What all matches lie in: from and before these times, in one of these categories. Where it is open, it is left out. */
export interface Bounds {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly categories?: readonly string[] | undefined;
}

/** Never narrower than what the filter finds; only what must hold by itself counts. */
export function boundsOf({ root }: Filter, readTime: CompileOptions['readTime']): Bounds {
  const parts = root.op === 'and' ? root.sides : [root];
  return parts.map((part) => boundsOfOne(part, readTime)).reduce(bothBounds, {});
}

/** Where two of them meet. */
export function bothBounds(one: Bounds, other: Bounds): Bounds {
  const { categories: also } = other;
  return {
    since: later(one.since, other.since),
    until: later(one.until, other.until, -1),
    categories:
      also === undefined ? one.categories : (one.categories?.filter((name) => also.includes(name)) ?? also),
  };
}

function boundsOfOne(part: Expression, readTime: CompileOptions['readTime']): Bounds {
  if (!('values' in part) || !('field' in part.subject)) return {};
  const { op, subject, values } = part;
  if (subject.field.name === 'category' && op === '=')
    return { categories: values.map(({ value }) => value.toLowerCase()) };
  if (subject.field.name !== 'time') return {};
  const starts = values.map(({ value }) => readTime(value, 'start').getTime());
  // A date ends where the next begins; an instant is a millisecond long here.
  const ends = values.map(({ value }, at) =>
    Math.max(readTime(value, 'end').getTime(), (starts[at] as number) + 1),
  );
  const since = new Date(Math.min(...starts));
  const until = new Date(Math.max(...ends));
  switch (op) {
    case '=':
      return { since, until };
    case '<':
      return { until: new Date(Math.max(...starts)) };
    case '<=':
      return { until };
    case '>':
    case '>=':
      return { since };
    default:
      return {};
  }
}

function later(one: Date | undefined, other: Date | undefined, sign = 1): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return sign * (one.getTime() - other.getTime()) > 0 ? one : other;
}
