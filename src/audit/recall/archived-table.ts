import sql, { empty, join, raw, type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { ARCHIVED } from '../event-columns.js';
import { aboutUser, type EventFilter, filterConditions } from '../event-filter.js';
import { beyondCursor, type EventPaging } from '../query-events.js';

/** Sent at once, characters of JSON. */
const BATCH = 4 * 1024 * 1024;

/** What `audit.readable_events` shows of an event, in its order. */
const COLUMNS = `id bigint not null, xid xid8 not null, occurred_at timestamptz not null, epoch integer not null,
  category audit.category not null, operation audit.operation not null, table_name text not null, session_login text not null,
  duty text, request_id text, app_user uuid, family_id uuid, subject_user uuid, record_id uuid, record_key text,
  changed_columns text[], reason text, ticket text, before jsonb, after jsonb, erased_requests text[], leaf bytea not null`;

/** The temporary table that stands beside the log, of this session alone. */
export async function makeArchivedTable(session: Session): Promise<void> {
  await dropArchivedTable(session);
  await session.query(`create temporary table archived_events (${COLUMNS}, primary key (occurred_at, id))`);
}

export async function dropArchivedTable(session: Session): Promise<void> {
  await session.query('drop table if exists pg_temp.archived_events');
}

/**
 * Lets the database choose among events by the conditions of the very question, and keeps those that match: of a page as
 * many as it has at most. Memory does not grow with them.
 */
export async function keepMatching(
  session: Session,
  rows: readonly Readonly<Record<string, unknown>>[],
  filter: EventFilter,
  page?: EventPaging,
): Promise<void> {
  let lines: string[] = [];
  let size = 0;
  const send = async () => {
    if (lines.length > 0) await session.query(keeping(session.duty, `[${lines.join(',')}]`, filter, page));
    lines = [];
    size = 0;
  };
  for (const row of rows) {
    const line = JSON.stringify(row);
    lines.push(line);
    size += line.length;
    if (size >= BATCH) await send();
  }
  await send();
}

function keeping(duty: string, lines: string, filter: EventFilter, page: EventPaging | undefined): Sql {
  const { found, shown } = filterConditions(filter, duty);
  const all = [...found, ...aboutUser(filter), ...shown, ...(page === undefined ? [] : beyondCursor(page))];
  const direction = raw(page?.oldestFirst ? 'asc' : 'desc');
  const image = (side: 'old' | 'new') =>
    raw(
      duty === 'sre' ? 'null::jsonb' : `audit.image(r.${side}_row::json, r.named_columns, r.named_${side})`,
    );
  return sql`
    insert into ${ARCHIVED}
    select e.* from (
      select r.id, r.xid, timestamptz '2000-01-01 00:00:00+00' + r.occurred_at * interval '1 microsecond' as occurred_at, r.epoch,
        r.category, r.operation, r.table_name, r.session_login, r.duty, r.request_id, r.app_user, r.family_id, r.subject_user,
        r.record_id, r.record_key, r.changed_columns, r.reason, r.ticket, ${image('old')} as before, ${image('new')} as after,
        r.erased_requests, decode(r.leaf, 'base64') as leaf
      from json_to_recordset(${lines}::json) r (id bigint, xid xid8, occurred_at bigint, epoch integer, category audit.category,
        operation audit.operation, table_name text, session_login text, duty text, request_id text, app_user uuid, family_id uuid,
        subject_user uuid, record_id uuid, record_key text, changed_columns text[], reason text, ticket text, old_row text,
        new_row text, named_columns text[], named_old text[], named_new text[], erased_requests text[], leaf text)) e
    ${all.length === 0 ? empty : sql`where ${join(all, ' and ')}`}
    ${page === undefined ? empty : sql`order by e.occurred_at ${direction}, e.id ${direction} limit ${page.limit + 1}`}`;
}
