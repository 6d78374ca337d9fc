import sql, { join, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { AuditEvent } from './event.js';
import { eventColumns, eventSource } from './event-columns.js';
import { type EventFilter, filterConditions, qualified, refusePayloadFilters } from './event-filter.js';

export interface EventPage {
  readonly events: readonly AuditEvent[];
  readonly nextCursor: string | undefined;
}

/**
 * Events that match, newest first, as far as row security lets the session see them. A page never repeats an
 * event of the one before, nor skips one that had been committed by then; events committed since are newer, or
 * come from transactions that were still open, and a query from the start shows them.
 * Throws `unknown_table` where nothing matches and there is no such table.
 */
export async function queryEvents(
  session: Session,
  filter: EventFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<EventPage> {
  if (session.duty === 'sre') refusePayloadFilters(filter);
  const rows = await session.query<AuditEvent & { at: string }>(eventQuery(session.duty, filter, page));
  if (rows.length === 0 && filter.table !== undefined) await knowTable(session, filter.table);
  const events = rows.slice(0, page.limit).map(({ at: _, ...event }) => event);
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return { events, nextCursor: last === undefined ? undefined : encodeCursor('events', [last.at, last.id]) };
}

/**
 * The statement behind `queryEvents`; one row more than the page, to know whether more follows. The places come
 * from the table, where an index gives them in order; their values from the view, which has a barrier that no
 * join gets through but a lateral one.
 */
export function eventQuery(
  duty: string,
  filter: EventFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Sql {
  const conditions = filterConditions(filter);
  if (page.cursor !== undefined) {
    const [at, id] = eventPlace(page.cursor);
    conditions.push(sql`(e.occurred_at, e.id) < (${at}::timestamptz, ${id}::bigint)`);
  }
  const limit = page.limit + 1;
  const { user } = filter;
  const source =
    user === undefined
      ? places(conditions, limit)
      : // Two index scans: as one condition joined by "or" neither index could give the order.
        sql`(${places([...conditions, sql`e.app_user = ${user}`], limit)}) union all
          (${places([...conditions, sql`e.subject_user = ${user} and e.app_user is distinct from ${user}`], limit)})`;
  return sql`
    select p.occurred_at::text as at, shown.*
    from (select * from (${source}) found order by occurred_at desc, id desc limit ${limit}) p
      cross join lateral (
        select ${eventColumns(duty)} from ${eventSource(duty)} e
        where e.occurred_at = p.occurred_at and e.id = p.id
        limit 1) shown
    order by p.occurred_at desc, p.id desc`;
}

/** The place of an event that a cursor names. Throws `usage`. */
export function eventPlace(cursor: string): string[] {
  return decodeCursor('events', cursor, [PART.time, PART.number]);
}

function places(conditions: readonly Sql[], limit: number): Sql {
  return sql`
    select e.occurred_at, e.id from audit.events e
    where ${conditions.length === 0 ? sql`true` : join(conditions, ' and ')}
    order by e.occurred_at desc, e.id desc
    limit ${limit}`;
}

/** "Nothing matches" would be a wrong answer about a table that was mistyped. */
async function knowTable(session: Session, table: string): Promise<void> {
  const [schema, name] = qualified(table).split('.');
  const found = await session.query(sql`
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name} and c.relkind in ('r', 'p')`);
  if (found.length > 0) return;
  throw new NestctlError(`There is no table ${qualified(table)}.`, {
    kind: 'usage',
    code: 'unknown_table',
    hint: 'Tables of public need no schema: usage_logs. Others do: ops.access_grants.',
  });
}
