import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { eventRelation } from './event-columns.js';
import { aboutUser, type EventFilter, filterConditions } from './event-filter.js';
import { knowNames } from './known-names.js';

const SPANS = ['hour', 'day', 'week', 'month'] as const;
const COLUMNS = {
  table: 'e.table_name',
  operation: 'lower(e.operation::text)',
  category: 'e.category::text',
  login: 'e.session_login',
  operator: 'case when e.duty is not null then e.session_login end',
  duty: 'e.duty',
  request: 'e.request_id',
  by: 'e.app_user::text',
  person: 'e.subject_user::text',
  family: 'e.family_id::text',
  ticket: 'e.ticket',
} as const;
/** What the duty `sre` does not read. */
const PAYLOAD: readonly string[] = ['by', 'person', 'family', 'ticket'];

const GROUPINGS = [...SPANS, ...(Object.keys(COLUMNS) as (keyof typeof COLUMNS)[])] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** How many events have the same key; spans of time begin at `Date`s. */
export interface EventGroup {
  readonly key: Readonly<Partial<Record<Grouping, Date | string | null>>>;
  readonly events: number;
  readonly first: Date;
  readonly last: Date;
}

export interface Groups {
  readonly groups: readonly EventGroup[];
  /** There are more than were asked for. */
  readonly more: boolean;
}

/**
 * Counts events by what they have in common: by time in its order where that comes first, else the most frequent first.
 * Spans of time are those of the zone. Throws `duty_not_allowed` for what the duty does not read.
 */
export async function groupEvents(
  session: Session,
  filter: EventFilter,
  wish: { readonly by: readonly Grouping[]; readonly zone: string; readonly limit: number },
): Promise<Groups> {
  const { by, limit } = wish;
  const refused = session.duty === 'sre' ? by.filter((name) => PAYLOAD.includes(name)) : [];
  if (refused.length > 0) {
    throw new NestctlError(`The duty "sre" reads the skeleton of events, not ${refused.join(', ')}.`, {
      kind: 'not_allowed',
      code: 'duty_not_allowed',
      hint: 'Another duty does: --duty support within a grant, or auditor.',
    });
  }
  const rows = await session.query<{ key: (Date | string | null)[] } & Record<string, unknown>>(
    groupQuery(session.duty, filter, wish),
  );
  if (rows.length === 0) await knowNames(session, filter);
  const groups = rows.slice(0, limit).map((row) => ({
    key: Object.fromEntries(by.map((name, at) => [name, row[`k${at}`] as Date | string | null])),
    events: Number(row.events),
    first: row.first as Date,
    last: row.last as Date,
  }));
  return { groups, more: rows.length > limit };
}

function groupQuery(
  duty: string,
  filter: EventFilter,
  { by, zone, limit }: { readonly by: readonly Grouping[]; readonly zone: string; readonly limit: number },
): Sql {
  const keys = by.map((name, at) => sql`${keyOf(name, zone)} as ${raw(`k${at}`)}`);
  const places = join(by.map((_, at) => raw(String(at + 1))));
  const inTime = SPANS.some((span) => span === by[0]);
  return sql`
    select ${join(keys)}, count(*)::float8 as events, min(e.occurred_at) as first, max(e.occurred_at) as last
    ${matching(duty, filter)}
    group by ${places}
    order by ${inTime ? sql`${places}` : sql`events desc, ${places}`}
    limit ${limit + 1}`;
}

/** "from … where …" of all that matches; from the table itself unless values decide. */
export function matching(duty: string, filter: EventFilter): Sql {
  const { found, shown } = filterConditions(filter, duty);
  const all = [...found, ...aboutUser(filter), ...shown];
  return sql`from ${eventRelation(duty, filter.archived, shown.length > 0)} e
    where ${all.length === 0 ? sql`true` : join(all, ' and ')}`;
}

function keyOf(name: Grouping, zone: string): Sql {
  const span = SPANS.find((one) => one === name);
  if (span !== undefined) return sql`date_trunc(${raw(`'${span}'`)}, e.occurred_at, ${zone})`;
  return raw(COLUMNS[name as keyof typeof COLUMNS]);
}
