import sql, { join, raw, type Sql } from 'sql-template-tag';

const CLEAR = sql`e.id::text, e.occurred_at, e.xid::text, e.epoch, e.category::text, lower(e.operation::text) as operation,
  e.table_name, e.session_login, e.duty, e.request_id`;

/** Events of archived months, for the length of a question, in a session of a duty that may read them. */
export const ARCHIVED = raw('pg_temp.archived_events');

const SKELETON = [
  ...['id', 'xid', 'occurred_at', 'epoch', 'category', 'operation', 'table_name', 'session_login', 'duty'],
  ...['request_id', 'leaf'],
];
const FOUND = ['app_user', 'family_id', 'subject_user', 'record_id', 'record_key', 'reason', 'ticket'];
const VALUES = ['changed_columns', 'before', 'after', 'erased_requests'];

/** Where a duty reads events: `sre` the skeleton, the others what the database opens to them. */
export function eventSource(duty: string): Sql {
  return raw(duty === 'sre' ? 'audit.events' : 'audit.readable_events');
}

/** The relations to read from: as `eventSource`, and what was brought from the archive. */
export function eventSources(duty: string, archived?: boolean): Sql[] {
  return [eventSource(duty), ...(archived === true ? [ARCHIVED] : [])];
}

/**
 * One relation, to stand before an alias: the table itself, which has no values but indexes, or what the duty reads of
 * them; together with what was brought from the archive.
 */
export function eventRelation(duty: string, archived: boolean | undefined, values: boolean): Sql {
  const source = values ? eventSource(duty) : raw('audit.events');
  if (archived !== true) return source;
  const read = [...SKELETON, ...(duty === 'sre' ? [] : FOUND), ...(values && duty !== 'sre' ? VALUES : [])];
  const columns = join(read.map((name) => raw(name)));
  return sql`(select ${columns} from ${source} union all select ${columns} from ${ARCHIVED})`;
}

/** The select list that makes an AuditEvent from `eventSource(duty) e`. */
export function eventColumns(duty: string): Sql {
  if (duty === 'sre') {
    return sql`${CLEAR}, null as app_user, null as family_id, null as subject_user, null as record, null as changed_columns,
      null as before, null as after, null as reason, null as ticket, null as erased_by`;
  }
  return sql`${CLEAR}, e.app_user, e.family_id, e.subject_user, coalesce(e.record_id::text, e.record_key) as record,
    e.changed_columns, e.before, e.after, e.reason, e.ticket, array_remove(e.erased_requests, null) as erased_by`;
}
