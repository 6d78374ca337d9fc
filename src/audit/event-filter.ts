import sql, { type Sql } from 'sql-template-tag';
import { NestctlError } from '../platform/errors.js';
import type { Operation } from './event.js';
import { qualified } from './filter/fields.js';
import type { Where } from './filter/where.js';

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
  /** xid8 as text. */
  readonly transaction?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly where?: Where | undefined;
  /** Also in the archived months that `readLog` has brought into the session. */
  readonly archived?: boolean | undefined;
}

/** Conditions of a filter, but for the user, who takes two queries. Every value in them says its type. */
export interface FilterConditions {
  /** On `audit.events e`, where indexes are. */
  readonly found: Sql[];
  /** On `audit.readable_events e`: what is asked about values, as the duty sees them. */
  readonly shown: Sql[];
}

/** Throws `duty_not_allowed` for what the duty does not read. */
export function filterConditions(filter: EventFilter, duty: string): FilterConditions {
  if (duty === 'sre') refusePayloadFilters(filter);
  const found: Sql[] = [];
  const add = <T>(value: T | undefined, condition: (value: T) => Sql) => {
    if (value !== undefined) found.push(condition(value));
  };
  add(filter.since, (since) => sql`e.occurred_at >= ${since}::timestamptz`);
  add(filter.until, (until) => sql`e.occurred_at < ${until}::timestamptz`);
  add(filter.family, (family) => sql`e.family_id = ${family}::uuid`);
  // Operators are found through an index of staff events only.
  add(filter.operator, (operator) => sql`e.session_login = ${operator}::text and e.duty is not null`);
  add(filter.duty, (duty) => sql`e.duty = ${duty}::text`);
  add(filter.table, (table) => sql`e.table_name = ${qualified(table)}::text`);
  add(filter.operation, (operation) => sql`e.operation = ${operation.toUpperCase()}::audit.operation`);
  add(filter.key, (key) =>
    isUuid(key) ? sql`e.record_id = ${key}::uuid` : sql`e.record_key = ${key}::text`,
  );
  add(filter.request, (request) => sql`e.request_id = ${request}::text`);
  add(filter.transaction, (transaction) => sql`e.xid = ${transaction}::xid8`);
  add(filter.ticket, (ticket) => sql`e.ticket = ${ticket}::text`);
  const where = filter.where?.compile(duty);
  return { found: [...found, ...(where?.found ?? [])], shown: [...(where?.shown ?? [])] };
}

/** The user as one condition, for what is not read in the order of an index. */
export function aboutUser({ user }: EventFilter): Sql[] {
  return user === undefined ? [] : [sql`(e.app_user = ${user}::uuid or e.subject_user = ${user}::uuid)`];
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

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
