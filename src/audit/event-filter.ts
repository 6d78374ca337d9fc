import sql, { type Sql } from 'sql-template-tag';
import { NestctlError } from '../platform/errors.js';
import type { Operation } from './event.js';

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

/** Conditions on `audit.events e`, but for the user, which takes two queries. */
export function filterConditions(filter: EventFilter): Sql[] {
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
  add(filter.table, (table) => sql`e.table_name = ${qualified(table)}`);
  add(filter.operation, (operation) => sql`e.operation = ${operation.toUpperCase()}::audit.operation`);
  add(filter.key, (key) => (isUuid(key) ? sql`e.record_id = ${key}` : sql`e.record_key = ${key}`));
  add(filter.request, (request) => sql`e.request_id = ${request}`);
  add(filter.ticket, (ticket) => sql`e.ticket = ${ticket}`);
  return conditions;
}

/** schema.table, of public where no schema is named. */
export function qualified(table: string): string {
  return table.includes('.') ? table : `public.${table}`;
}

/** Throws `duty_not_allowed` for what the duty "sre" does not read. */
export function refusePayloadFilters(filter: EventFilter): void {
  const refused = (['family', 'user', 'key', 'ticket'] as const).filter((name) => filter[name] !== undefined);
  if (refused.length === 0) return;
  throw new NestctlError(`The duty "sre" reads the skeleton of events, not ${refused.join(', ')}.`, {
    kind: 'not_allowed',
    code: 'duty_not_allowed',
    hint: 'Another duty does: --duty support within a grant, or auditor.',
  });
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
