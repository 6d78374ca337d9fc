import sql, { type Sql } from 'sql-template-tag';

const CLEAR = sql`e.id::text, e.occurred_at, e.xid::text, e.epoch, e.category::text, lower(e.operation::text) as operation,
  e.table_name, e.session_login, e.duty, e.request_id`;

/** The values of the row itself and of the columns that name other people, as one object. */
function image(row: Sql, named: Sql): Sql {
  return sql`nullif(coalesce(${row}::jsonb, '{}') || coalesce((
    select jsonb_object_agg(c.name, ${named}[c.position])
    from unnest(e.named_columns) with ordinality c (name, position) where ${named} is not null), '{}'), '{}')`;
}

/** The select list that makes an AuditEvent. `sre` reads the skeleton only: the database grants no more. */
export function eventColumns(duty: string): Sql {
  if (duty === 'sre') {
    return sql`${CLEAR}, null as app_user, null as family_id, null as subject_user, null as record, null as changed_columns,
      null as before, null as after, null as reason, null as ticket, null as erased_by`;
  }
  return sql`${CLEAR}, e.app_user, e.family_id, e.subject_user, coalesce(e.record_id::text, e.record_key) as record,
    e.changed_columns, ${image(sql`e.old_row`, sql`e.named_old`)} as before, ${image(sql`e.new_row`, sql`e.named_new`)} as after,
    e.reason, e.ticket, array_remove(e.erased_requests, null) as erased_by`;
}
