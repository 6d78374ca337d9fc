import sql, { join, type Sql } from 'sql-template-tag';
import { compareField, isNull } from './compare-field.js';
import { compareValue, valueIsNull } from './compare-value.js';
import { filterError } from './filter-error.js';
import type { Expression, Filter, Subject } from './parse-filter.js';

export interface CompileOptions {
  /** Under `sre` only the skeleton is asked about. */
  readonly duty: string;
  /** An instant as a person writes it; of a bare date its first, or the first after it. Throws an Error with a sentence. */
  readonly readTime: (input: string, edge: 'start' | 'end') => Date;
}

/** Conditions that all must hold. What a person wrote is in them as parameters only, never as text. */
export interface CompiledFilter {
  /** On `audit.events e`, where indexes are. */
  readonly found: readonly Sql[];
  /** On `audit.readable_events e`, which masks what the duty may not read. */
  readonly shown: readonly Sql[];
  /** Columns of rows that are asked about, with their places in the filter. */
  readonly columns: readonly { readonly name: string; readonly at: number }[];
}

/** Throws `invalid_filter` for values that a field cannot have, and `duty_not_allowed`. */
export function compileFilter(filter: Filter, options: CompileOptions): CompiledFilter {
  const { root } = filter;
  const found: Sql[] = [];
  const shown: Sql[] = [];
  for (const part of root.op === 'and' ? root.sides : [root]) {
    refuse(part, filter.text, options.duty);
    (asksValues(part) ? shown : found).push(conditionOf(part, filter.text, options));
  }
  return { found, shown, columns: columnsIn(root) };
}

/**
 * Two truth values: what is unknown does not hold, and its negation does. So "not" stands on "is not true", and
 * nothing else has to care for nulls.
 */
function conditionOf(one: Expression, text: string, options: CompileOptions): Sql {
  switch (one.op) {
    case 'and':
    case 'or': {
      const sides = one.sides.map((side) => conditionOf(side, text, options));
      return sql`(${join(sides, one.op === 'and' ? ' and ' : ' or ')})`;
    }
    case 'not':
      return sql`(${conditionOf(one.side, text, options)}) is not true`;
    case 'null':
      return 'field' in one.subject
        ? isNull(one.subject.field, one.not)
        : valueIsNull(one.subject.column, one.subject.images, one.not);
    default:
      return 'field' in one.subject
        ? compareField(one.subject.field, one, { text, readTime: options.readTime })
        : compareValue(one.subject.column, one.subject.images, one);
  }
}

type Leaf = Extract<Expression, { readonly subject: Subject }>;

function leavesOf(one: Expression): Leaf[] {
  if ('subject' in one) return [one];
  return 'sides' in one ? one.sides.flatMap(leavesOf) : leavesOf(one.side);
}

function asksValues(one: Expression): boolean {
  return leavesOf(one).some(({ subject }) => !('field' in subject) || subject.field.part === 'values');
}

function columnsIn(root: Expression): { name: string; at: number }[] {
  return leavesOf(root).flatMap(({ subject, at }) =>
    'field' in subject ? [] : [{ name: subject.column, at }],
  );
}

function refuse(one: Expression, text: string, duty: string): void {
  if (duty !== 'sre') return;
  const refused = leavesOf(one).find(
    ({ subject }) => !('field' in subject) || subject.field.part !== 'skeleton',
  );
  if (refused === undefined) return;
  throw filterError(text, refused.at, 'the duty "sre" reads the skeleton of events only.', {
    hint: 'Another duty does: --duty support within a grant, or auditor.',
    notAllowed: true,
  });
}
