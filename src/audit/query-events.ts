import sql, { join, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { AuditEvent, Operation } from './event.js';
import { eventColumns, eventSource } from './event-columns.js';

export interface EventFilter {
  readonly family?: string | undefined;
  /** Who did it, or whose row it was. */
  readonly user?: string | undefined;
  /** An operator's login. */
  readonly operator?: string | undefined;
  readonly duty?: string | undefined;
  /** A table of public, or schema.table. */
  readonly table?: string | undefined;
  readonly operation?: Operation | undefined;
  /** The row's id, or its key joined by "/" where it has none. */
  readonly key?: string | undefined;
  readonly request?: string | undefined;
  readonly ticket?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface EventPage {
  readonly events: readonly AuditEvent[];
  readonly nextCursor: string | undefined;
}

/** Events that match, newest first, as far as row security lets the session see them. */
export async function queryEvents(
  session: Session,
  filter: EventFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<EventPage> {
  if (session.duty === 'sre') refusePayloadFilters(filter);
  const rows = await session.query<AuditEvent & { at: string }>(eventQuery(session.duty, filter, page));
  const events = rows.slice(0, page.limit).map(({ at: _, ...event }) => event);
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return { events, nextCursor: last === undefined ? undefined : encodeCursor([last.at, last.id]) };
}

/** The statement behind `queryEvents`; one row more than the page, to know whether more follows. */
export function eventQuery(
  duty: string,
  filter: EventFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Sql {
  const conditions = filterConditions(filter);
  if (page.cursor !== undefined) {
    const [at, id] = decodeCursor(page.cursor, 2);
    conditions.push(sql`(e.occurred_at, e.id) < (${at}::timestamptz, ${id}::bigint)`);
  }
  const limit = page.limit + 1;
  const source =
    filter.user === undefined
      ? events(duty, conditions, limit)
      : // Two index scans: as one condition joined by "or" neither index could give the order.
        sql`(${events(duty, [...conditions, sql`e.app_user = ${filter.user}`], limit)}) union all
          (${events(duty, [...conditions, sql`e.subject_user = ${filter.user} and e.app_user is distinct from ${filter.user}`], limit)})`;
  return sql`
    select e.occurred_at::text as at, ${eventColumns(duty)}
    from (${source}) p join ${eventSource(duty)} e
      on e.occurred_at = p.occurred_at and e.id = p.id and e.category = p.category
    order by e.occurred_at desc, e.id desc
    limit ${limit}`;
}

function events(duty: string, conditions: readonly Sql[], limit: number): Sql {
  return sql`
    select e.occurred_at, e.id, e.category from ${eventSource(duty)} e
    where ${conditions.length === 0 ? sql`true` : join(conditions, ' and ')}
    order by e.occurred_at desc, e.id desc
    limit ${limit}`;
}

function filterConditions(filter: EventFilter): Sql[] {
  const conditions: Sql[] = [];
  const add = <T>(value: T | undefined, condition: (value: T) => Sql) => {
    if (value !== undefined) conditions.push(condition(value));
  };
  add(filter.since, (since) => sql`e.occurred_at >= ${since}`);
  add(filter.until, (until) => sql`e.occurred_at < ${until}`);
  add(filter.family, (family) => sql`e.family_id = ${family}`);
  // Operators are found through an index of staff events only.
  add(filter.operator, (operator) => sql`e.session_login = ${operator} and e.duty is not null`);
  add(filter.duty, (duty) => sql`e.duty = ${duty}`);
  add(filter.table, (table) => sql`e.table_name = ${table.includes('.') ? table : `public.${table}`}`);
  add(filter.operation, (operation) => sql`e.operation = ${operation.toUpperCase()}::audit.operation`);
  add(filter.key, (key) => (isUuid(key) ? sql`e.record_id = ${key}` : sql`e.record_key = ${key}`));
  add(filter.request, (request) => sql`e.request_id = ${request}`);
  add(filter.ticket, (ticket) => sql`e.ticket = ${ticket}`);
  return conditions;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function refusePayloadFilters(filter: EventFilter): void {
  const refused = (['family', 'user', 'key', 'ticket'] as const).filter((name) => filter[name] !== undefined);
  if (refused.length === 0) return;
  throw new NestctlError(`The duty "sre" reads the skeleton of events, not ${refused.join(', ')}.`, {
    kind: 'not_allowed',
    code: 'duty_not_allowed',
    hint: 'Another duty does: --duty support within a grant, or auditor.',
  });
}
