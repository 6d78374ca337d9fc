import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import type { AuditEvent } from './event.js';
import { ARCHIVED, eventColumns, eventSources } from './event-columns.js';
import { type EventFilter, filterConditions } from './event-filter.js';
import { knowNames } from './known-names.js';
import { transactionWindow } from './transaction-window.js';

export interface EventPage {
  readonly events: readonly AuditEvent[];
  readonly nextCursor: string | undefined;
}

export interface EventPaging {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** The oldest first. Any other order would have to read a log that may hold years. */
  readonly oldestFirst?: boolean | undefined;
}

/**
 * Events that match, newest first unless asked otherwise, as far as row security lets the session see them. A page never repeats an
 * event of the one before, nor skips one that had been committed by then; events committed since are newer, or
 * come from transactions that were still open, and a query from the start shows them.
 * Throws `unknown_table` and `invalid_filter` where nothing matches because there is no such table or column.
 */
export async function queryEvents(
  session: Session,
  filter: EventFilter,
  page: EventPaging,
): Promise<EventPage> {
  const within = await transactionWindow(session, filter);
  const rows = await session.query<AuditEvent & { at: string }>(
    eventQuery(session.duty, filter, page, within),
  );
  if (rows.length === 0) await knowNames(session, filter);
  const events = rows.slice(0, page.limit).map(({ at: _, ...event }) => event);
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return { events, nextCursor: last && encodeCursor(listName(page.oldestFirst), [last.at, last.id]) };
}

/**
 * The statement behind `queryEvents`; one row more than the page, to know whether more follows. The places come
 * from the table, where an index gives them in order; their values from the view, which has a barrier that no
 * join gets through but a lateral one.
 */
export function eventQuery(
  duty: string,
  filter: EventFilter,
  page: EventPaging,
  within: readonly Sql[] = [],
): Sql {
  const { found, shown } = filterConditions(filter, duty);
  const limit = page.limit + 1;
  const direction = page.oldestFirst ? raw('asc') : raw('desc');
  // Where values decide, a place may turn out not to match: then as many are tried as it takes to fill the page.
  const first = shown.length === 0 ? sql`limit ${limit}` : empty;
  const places = (source: Sql, ...all: readonly Sql[]): Sql => sql`
    select e.occurred_at, e.id from ${source} e
    where ${all.length === 0 ? sql`true` : join(all, ' and ')}
    order by e.occurred_at ${direction}, e.id ${direction}
    ${first}`;
  const { user } = filter;
  const paged = [...found, ...beyondCursor(page)];
  const sourcesOf = (source: Sql, conditions: readonly Sql[]): Sql[] =>
    user === undefined
      ? [places(source, ...conditions)]
      : // Two index scans: as one condition joined by "or" neither index could give the order.
        [
          places(source, ...conditions, sql`e.app_user = ${user}`),
          places(
            source,
            ...conditions,
            sql`e.subject_user = ${user} and e.app_user is distinct from ${user}`,
          ),
        ];
  const sources = [
    ...sourcesOf(raw('audit.events'), [...paged, ...within]),
    ...(filter.archived === true ? sourcesOf(ARCHIVED, paged) : []),
  ];
  const at = join([sql`e.occurred_at = p.occurred_at and e.id = p.id`, ...shown], ' and ');
  const values = eventSources(duty, filter.archived).map(
    (source) => sql`select ${eventColumns(duty)} from ${source} e where ${at}`,
  );
  return sql`
    select p.occurred_at::text as at, shown.*
    from (select * from (${either(sources)}) found order by occurred_at ${direction}, id ${direction} ${first}) p
      cross join lateral (${either(values)} limit 1) shown
    order by p.occurred_at ${direction}, p.id ${direction}
    limit ${limit}`;
}

function either(parts: readonly Sql[]): Sql {
  const [only] = parts;
  return parts.length === 1 && only !== undefined
    ? only
    : join(
        parts.map((part) => sql`(${part})`),
        ' union all ',
      );
}

/** What a page that goes on behind a cursor asks of `events e`. */
export function beyondCursor({ cursor, oldestFirst }: Pick<EventPaging, 'cursor' | 'oldestFirst'>): Sql[] {
  if (cursor === undefined) return [];
  const [at, id] = eventPlace(cursor, oldestFirst);
  return [sql`(e.occurred_at, e.id) ${raw(oldestFirst ? '>' : '<')} (${at}::timestamptz, ${id}::bigint)`];
}

/** The place of an event that a cursor of this order names. Throws `usage`. */
export function eventPlace(cursor: string, oldestFirst?: boolean): string[] {
  return decodeCursor(listName(oldestFirst), cursor, [PART.time, PART.number]);
}

function listName(oldestFirst: boolean | undefined): string {
  return oldestFirst ? 'events:oldest' : 'events';
}
