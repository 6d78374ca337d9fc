import sql, { raw, type Sql } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import type { EventFilter } from './event-filter.js';
import { matching } from './group-events.js';

const HOUR = 3_600_000;

export interface Count {
  readonly label: string;
  readonly events: number;
}

export interface Activity {
  readonly since: Date;
  readonly until: Date;
  readonly events: number;
  /** How long a span is. */
  readonly span: 'hour' | 'day' | 'week';
  /** Every span, empty ones too. */
  readonly by_time: readonly { readonly from: Date; readonly events: number }[];
  readonly by_table: readonly Count[];
  readonly by_operation: readonly Count[];
  /** Operators by login and duty; all other logins by their name. */
  readonly by_login: readonly Count[];
}

/** How much was changed in a time: by time, table, operation and login, the most active first. */
export async function activity(
  session: Session,
  filter: EventFilter & { readonly since: Date; readonly until: Date },
  zone: string,
): Promise<Activity> {
  const { since, until } = filter;
  const length = until.getTime() - since.getTime();
  const span = length <= 50 * HOUR ? 'hour' : length <= 60 * 24 * HOUR ? 'day' : 'week';
  const rows = await session.query<{ at: Date | null; kind: string; label: string | null; events: number }>(
    activityQuery(session.duty, filter, { zone, span }),
  );
  const counts = (kind: string): Count[] =>
    rows.filter((row) => row.kind === kind).map(({ label, events }) => ({ label: label ?? '', events }));
  const by_time = rows.flatMap(({ at, events }) => (at === null ? [] : [{ from: at, events }]));
  return {
    since,
    until,
    events: by_time.reduce((sum, { events }) => sum + events, 0),
    span,
    by_time,
    by_table: counts('table'),
    by_operation: counts('operation'),
    by_login: counts('login'),
  };
}

/** One reading of the events, whatever they are counted by. */
function activityQuery(
  duty: string,
  filter: EventFilter & { readonly since: Date; readonly until: Date },
  { zone, span }: { readonly zone: string; readonly span: Activity['span'] },
): Sql {
  const unit = raw(`'${span}'`);
  const local = (at: Date) => sql`date_trunc(${unit}, ${at}::timestamptz at time zone ${zone})`;
  // Hours are counted in absolute time: where clocks are put back an hour comes twice.
  const spans =
    span === 'hour'
      ? sql`generate_series(date_trunc('hour', ${filter.since}::timestamptz, ${zone}), ${filter.until}::timestamptz - interval '1 microsecond', '1 hour')`
      : sql`(select s at time zone ${zone} from generate_series(${local(filter.since)}, ${filter.until}::timestamptz at time zone ${zone} - interval '1 microsecond', ${raw(`interval '1 ${span}'`)}) s)`;
  return sql`
    with counted as (
      select at, table_name, operation, login, count(*)::float8 as events,
        grouping(at) as no_time, grouping(table_name) as no_table, grouping(operation) as no_operation
      from (
        select date_trunc(${unit}, e.occurred_at, ${zone}) as at, e.table_name, lower(e.operation::text) as operation,
          e.session_login || coalesce(' as ' || e.duty, '') as login
        ${matching(duty, filter)}
      ) matched
      group by grouping sets ((at), (table_name), (operation), (login))
    )
    select s.at, 'time' as kind, null as label, coalesce(c.events, 0) as events
    from ${spans} s (at) left join counted c on c.no_time = 0 and c.at = s.at
    union all
    select null, case when no_table = 0 then 'table' when no_operation = 0 then 'operation' else 'login' end,
      coalesce(case when no_table = 0 then table_name when no_operation = 0 then operation else login end, ''), events
    from counted where no_time = 1
    order by kind, at, events desc, label`;
}
