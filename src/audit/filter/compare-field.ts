import sql, { join, raw, type Sql } from 'sql-template-tag';
import { DUTIES } from '../../platform/database/duties.js';
import { contains } from './compare-value.js';
import { CATEGORIES, type Field, type FieldKind, OPERATIONS, qualified } from './fields.js';
import { filterError } from './filter-error.js';
import type { Operator } from './parse-filter.js';
import type { Token } from './tokens.js';

interface Comparison {
  readonly op: Operator;
  readonly at: number;
  readonly values: readonly Token[];
}

interface Reading {
  readonly text: string;
  readonly readTime: (input: string, edge: 'start' | 'end') => Date;
}

const EQUALITY = ['=', '!='];
const ORDER = [...EQUALITY, '<', '<=', '>', '>='];
const MATCH = [...EQUALITY, '~', '!~'];

const KINDS: Readonly<
  Record<
    FieldKind,
    {
      readonly ops: readonly string[];
      readonly type: string;
      readonly read: (value: string) => string;
      readonly wanted: string;
    }
  >
> = {
  text: { ops: MATCH, type: 'text', read: (value) => value, wanted: '' },
  table: { ops: MATCH, type: 'text', read: qualified, wanted: '' },
  id: {
    ops: EQUALITY,
    type: 'uuid',
    read: (value) => matching(value.toLowerCase(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    wanted: 'an id: 8-4-4-4-12 hexadecimal digits',
  },
  number: {
    ops: ORDER,
    type: 'bigint',
    read: (value) => matching(value, /^\d{1,18}$/),
    wanted: 'a whole number',
  },
  xid: {
    ops: ORDER,
    type: 'xid8',
    read: (value) => matching(value, /^\d{1,18}$/),
    wanted: 'the number of a transaction',
  },
  operation: oneOf('audit.operation', OPERATIONS, (value) => value.toUpperCase()),
  category: oneOf('audit.category', CATEGORIES, (value) => value.toLowerCase()),
  duty: oneOf('text', DUTIES, (value) => value.toLowerCase()),
  time: { ops: ORDER, type: 'timestamptz', read: (value) => value, wanted: '' },
  list: { ops: ['has'], type: 'text', read: (value) => value, wanted: '' },
};

/** A field against values. Throws `invalid_filter` for comparisons it does not know and values it cannot have. */
export function compareField(field: Field, comparison: Comparison, { text, readTime }: Reading): Sql {
  const { op, at, values } = comparison;
  const { ops, type, read, wanted } = KINDS[field.kind];
  if (!ops.includes(op)) {
    throw filterError(text, at, `this field is not compared by "${op}".`, {
      hint: `It knows ${ops.join(' ')}.`,
    });
  }
  const readOne = (token: Token): string => {
    try {
      return read(token.value);
    } catch {
      throw filterError(text, token.at, `here stands ${wanted}.`);
    }
  };
  const first = values[0] as Token;
  if (field.kind === 'time')
    return negatable(
      op,
      join(
        values.map((token) => timeCondition(op, token, text, readTime)),
        ' or ',
      ),
    );
  if (op === '~' || op === '!~')
    return negatable(
      op,
      anyColumn(field, (column) => contains(sql`${column}::text`, first.value)),
    );
  if (op === 'has') return anyColumn(field, (column) => sql`${first.value}::text = any (${column})`);
  const wantedValues = values.map(readOne);
  if (op === '=' || op === '!=') return negatable(op, equality(field, type, wantedValues));
  return anyColumn(field, (column) => sql`${column} ${raw(op)} ${wantedValues[0]}::${raw(type)}`);
}

export function isNull(field: Field, not: boolean): Sql {
  if (field.kind === 'list')
    return sql`(coalesce(cardinality(${field.columns[0]}), 0) > 0) is ${raw(not ? 'true' : 'not true')}`;
  const count = sql`num_nonnulls(${join(field.columns)})`;
  return not ? sql`${count} > 0` : sql`${count} = 0`;
}

function equality(field: Field, type: string, values: readonly string[]): Sql {
  if (field.name === 'row') return rowEquality(values);
  const [one] = values;
  return anyColumn(field, (column) =>
    values.length === 1
      ? sql`${column} = ${one}::${raw(type)}`
      : sql`${column} = any (${values}::${raw(type)}[])`,
  );
}

/** A row has an id or a key of several parts; each has an index that "or" between them would not use. */
function rowEquality(values: readonly string[]): Sql {
  const ids = values.filter((value) => UUID.test(value));
  const keys = values.filter((value) => !UUID.test(value));
  const sides = [
    ...(ids.length > 0 ? [sql`e.record_id = any (${ids}::uuid[])`] : []),
    ...(keys.length > 0 ? [sql`e.record_key = any (${keys}::text[])`] : []),
  ];
  return sql`(${join(sides, ' or ')})`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function anyColumn(field: Field, condition: (column: Sql) => Sql): Sql {
  const [only, ...more] = field.columns.map(condition);
  return only !== undefined && more.length === 0 ? only : sql`(${join([only as Sql, ...more], ' or ')})`;
}

function negatable(op: Operator, condition: Sql): Sql {
  return op === '!=' || op === '!~' ? sql`(${condition}) is not true` : condition;
}

/** A bare date is the whole day: "time = 2026-11-20", "time <= 2026-11-20". */
function timeCondition(op: Operator, token: Token, text: string, readTime: Reading['readTime']): Sql {
  const at = sql`e.occurred_at`;
  const read = (edge: 'start' | 'end'): Date => {
    try {
      return readTime(token.value, edge);
    } catch (error) {
      throw filterError(text, token.at, (error as Error).message);
    }
  };
  const [start, end] = [read('start'), read('end')];
  const day = end > start;
  switch (op) {
    case '<':
      return sql`${at} < ${start}::timestamptz`;
    case '>=':
      return sql`${at} >= ${start}::timestamptz`;
    case '<=':
      return day ? sql`${at} < ${end}::timestamptz` : sql`${at} <= ${end}::timestamptz`;
    case '>':
      return day ? sql`${at} >= ${end}::timestamptz` : sql`${at} > ${end}::timestamptz`;
    default:
      return day
        ? sql`(${at} >= ${start}::timestamptz and ${at} < ${end}::timestamptz)`
        : sql`${at} = ${start}::timestamptz`;
  }
}

function matching(value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw new Error('no such value');
  return value;
}

function oneOf(type: string, names: readonly string[], fold: (value: string) => string) {
  return {
    ops: EQUALITY,
    type,
    wanted: `one of ${names.join(', ').toLowerCase()}`,
    read: (value: string) => {
      const folded = fold(value);
      if (!names.includes(folded)) throw new Error('no such value');
      return folded;
    },
  };
}
