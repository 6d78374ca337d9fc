import sql, { raw, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../cursor.js';

/** The order asked for. */
export interface Sorting<By extends string> {
  readonly by: By;
  readonly descending: boolean;
}

/** What a list can be sorted by: an expression, and how its text is read back. */
export interface SortKey {
  readonly value: Sql;
  readonly type: 'text' | 'timestamptz' | 'int';
  readonly nullable?: true;
}

/** An order in which a list comes in pages: nothing is skipped or repeated, whatever the values. */
export interface ListOrder {
  /** For the select list: what the cursor after a row is made from. */
  readonly place: Sql;
  /** For `order by`. Rows without a value come last either way. */
  readonly by: Sql;
  /** What follows a cursor; undefined for the first page. Throws `usage` for the cursor of another list or order. */
  readonly after: Sql | undefined;
  /** Rows of a page, from one row more than it holds, and the cursor of the next. */
  page<Row>(rows: readonly (Row & Placed)[], limit: number): { rows: Row[]; nextCursor: string | undefined };
}

export interface Placed {
  readonly sort_value: string | null;
  readonly sort_id: string;
}

const PLACES = {
  text: /^(=[^\0]*)?$/s,
  int: /^(=-?\d{1,10})?$/,
  timestamptz: /^(=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00)?$/,
} as const;

/** The order of a list with this name by one of its keys, and by `id` among equals. */
export function listOrder<By extends string>(
  list: string,
  keys: Readonly<Record<By, SortKey>>,
  id: Sql,
  page: { readonly sort: Sorting<By>; readonly cursor?: string | undefined },
): ListOrder {
  const { by, descending } = page.sort;
  const { value, type, nullable } = keys[by];
  const [direction, beyond] = [raw(descending ? 'desc' : 'asc'), raw(descending ? '<' : '>')];
  // The cursor of another order is the cursor of another list.
  const name = `${list}:${by}:${descending ? 'desc' : 'asc'}`;
  const after = (cursor: string): Sql => {
    // Nothing stands for no value, and `=` before one: the empty text is a value.
    const [last = '', lastId] = decodeCursor(name, cursor, [PLACES[type], PART.id]);
    if (last === '') return sql`(${value} is null and ${id} ${beyond} ${lastId}::uuid)`;
    const following = sql`(${value}, ${id}) ${beyond} (${last.slice(1)}::${raw(type)}, ${lastId}::uuid)`;
    return nullable ? sql`(${following} or ${value} is null)` : following;
  };
  return {
    place: sql`(${value})::text as sort_value, ${id}::text as sort_id`,
    by: sql`${value} ${direction}${raw(nullable ? ' nulls last' : '')}, ${id} ${direction}`,
    after: page.cursor === undefined ? undefined : after(page.cursor),
    page(rows, limit) {
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit).map(({ sort_value: _, sort_id: __, ...row }) => row as never),
        nextCursor:
          last && encodeCursor(name, [last.sort_value === null ? '' : `=${last.sort_value}`, last.sort_id]),
      };
    },
  };
}
