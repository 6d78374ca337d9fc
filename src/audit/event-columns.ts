import sql, { raw, type Sql } from 'sql-template-tag';

const CLEAR = sql`e.id::text, e.occurred_at, e.xid::text, e.epoch, e.category::text, lower(e.operation::text) as operation,
  e.table_name, e.session_login, e.duty, e.request_id`;

/** Where a duty reads events: `sre` the skeleton, the others what the database opens to them. */
export function eventSource(duty: string): Sql {
  return raw(duty === 'sre' ? 'audit.events' : 'audit.readable_events');
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
