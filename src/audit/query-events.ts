import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import type { AuditEvent } from './event.js';
import { eventColumns, eventSource } from './event-columns.js';
import { type EventFilter, filterConditions } from './event-filter.js';
import { knowNames } from './known-names.js';

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
  const rows = await session.query<AuditEvent & { at: string }>(eventQuery(session.duty, filter, page));
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
export function eventQuery(duty: string, filter: EventFilter, page: EventPaging): Sql {
  const { found: conditions, shown } = filterConditions(filter, duty);
  const limit = page.limit + 1;
  const [direction, beyond] = page.oldestFirst ? [raw('asc'), raw('>')] : [raw('desc'), raw('<')];
  if (page.cursor !== undefined) {
    const [at, id] = eventPlace(page.cursor, page.oldestFirst);
    conditions.push(sql`(e.occurred_at, e.id) ${beyond} (${at}::timestamptz, ${id}::bigint)`);
  }
  // Where values decide, a place may turn out not to match: then as many are tried as it takes to fill the page.
  const first = shown.length === 0 ? sql`limit ${limit}` : empty;
  const places = (...all: readonly Sql[]): Sql => sql`
    select e.occurred_at, e.id from audit.events e
    where ${all.length === 0 ? sql`true` : join(all, ' and ')}
    order by e.occurred_at ${direction}, e.id ${direction}
    ${first}`;
  const { user } = filter;
  const source =
    user === undefined
      ? places(...conditions)
      : // Two index scans: as one condition joined by "or" neither index could give the order.
        sql`(${places(...conditions, sql`e.app_user = ${user}`)}) union all
          (${places(...conditions, sql`e.subject_user = ${user} and e.app_user is distinct from ${user}`)})`;
  return sql`
    select p.occurred_at::text as at, shown.*
    from (select * from (${source}) found order by occurred_at ${direction}, id ${direction} ${first}) p
      cross join lateral (
        select ${eventColumns(duty)} from ${eventSource(duty)} e
        where ${join([sql`e.occurred_at = p.occurred_at and e.id = p.id`, ...shown], ' and ')}
        limit 1) shown
    order by p.occurred_at ${direction}, p.id ${direction}
    limit ${limit}`;
}

/** The place of an event that a cursor of this order names. Throws `usage`. */
export function eventPlace(cursor: string, oldestFirst?: boolean): string[] {
  return decodeCursor(listName(oldestFirst), cursor, [PART.time, PART.number]);
}

function listName(oldestFirst: boolean | undefined): string {
  return oldestFirst ? 'events:oldest' : 'events';
}
