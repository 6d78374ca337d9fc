-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nothing was ever deleted by it
-- seeds: privacy.retention_rules, ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- What the data map keeps for a time goes when the time is over, in batches, each a transaction with its record. What a proceeding,
-- a request or a complaint preserves stays until that has ended.

create table privacy.retention_rules (
  table_name text primary key,
  retention text not null references privacy.retentions (retention),
  begins_at text not null
);
create index retention_rules_retention_idx on privacy.retention_rules (retention);
comment on table privacy.retention_rules is 'Which rows go by themselves once their time is over. Changes only by migration.';
comment on column privacy.retention_rules.begins_at is 'Of a row x, when its time is counted from; null while it has not begun.';
insert into privacy.retention_rules (table_name, retention, begins_at) values
  ('public.notification_logs', 'notification', 'coalesce(x.sent_at, x.created_at)'),
  ('public.analytics_events', 'analytics', 'x.occurred_at'),
  ('public.usage_analytics', 'analytics', $b$x.period_start::timestamp at time zone 'UTC'$b$),
  ('public.family_invitations', 'invitation', $b$case x.status when 'accepted' then x.accepted_at when 'expired' then x.expires_at when 'revoked' then x.updated_at end$b$),
  ('public.consent_records', 'consent', $b$case x.status when 'granted' then null when 'expired' then x.expires_at else coalesce(x.withdrawn_at, x.created_at) end$b$),
  ('public.subscriptions', 'billing', 'x.ended_at');
create trigger retention_rules_by_migration before insert or update or delete or truncate on privacy.retention_rules
  execute function private.only_by_migration();

create table privacy.retention_batches (
  id uuid primary key default gen_random_uuid(),
  table_name text not null references privacy.retention_rules (table_name),
  cut_off timestamptz not null,
  rows bigint not null default 0,
  xid xid8 not null default pg_current_xact_id(),
  done_at timestamptz not null default clock_timestamp(),
  done_by text not null default session_user references ops.operators (login),
  constraint retention_batches_rows check (rows >= 0)
);
create unique index retention_batches_xid_idx on privacy.retention_batches (xid);
create index retention_batches_table_idx on privacy.retention_batches (table_name, done_at);
create index retention_batches_by_idx on privacy.retention_batches (done_by);
comment on table privacy.retention_batches is 'The transactions in which rows were deleted whose time was over. Whatever began before cut_off.';
create trigger retention_batches_no_delete before delete on privacy.retention_batches for each row execute function private.refuse_delete();
create trigger retention_batches_no_truncate before truncate on privacy.retention_batches execute function private.refuse_truncate();

create function private.retaining() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return exists (select from privacy.retention_batches b where b.xid = pg_current_xact_id_if_assigned());
comment on function private.retaining() is 'Whether this transaction is a batch of retention.';

-- The log learns which rows went, and not once more for years what they held ---------------------------------------------------------------

create function audit.with_bare_keys(body text) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return replace(replace(body, 'row_to_json(x) as image from old_rows r', 'case when v_bare then null::json else row_to_json(x) end as image from old_rows r'),
    E'  v_moment timestamptz := clock_timestamp();\n',
    E'  v_moment timestamptz := clock_timestamp();\n  -- Rows whose time is over: which they were is told, and nothing else of them.\n  v_bare boolean := tg_op = ''DELETE'' and current_setting(''nestsync.imageless'', true) = ''keys'' and private.retaining();\n');
comment on function audit.with_bare_keys(text) is 'The body of a capture function, with what it does where a batch of retention deletes rows: their events have a key and no image.';

create or replace function audit.attach(
  target regclass, category audit.category, family text default null, person text default null, record text default 'id',
  named text[] default '{}', redacted text[] default '{}'
) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  label text := (select n.nspname || '_' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
  -- Each setting costs a little at every statement, so only those that the table's types are printed by.
  settings text := (
    select coalesce(string_agg(distinct case
      when a.atttypid = 'interval'::regtype then ' set intervalstyle = ''iso_8601'''
      when a.atttypid in ('real'::regtype, 'double precision'::regtype) then ' set extra_float_digits = 1'
      when a.atttypid = 'bytea'::regtype then ' set bytea_output = ''hex''' end, ''), '')
    from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped);
begin
  execute format('create or replace function audit.%I() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = ''UTC''%s as %L',
    'capture_' || label, settings, audit.with_bare_keys(audit.with_skeletons(audit.capture_body(target, category, family, person, record, named, redacted), target, category)));
  execute format('revoke execute on function audit.%I() from public', 'capture_' || label);
  if not exists (select from pg_catalog.pg_trigger g where g.tgrelid = target and g.tgname = 'audit_insert') then
    execute format('create trigger audit_insert after insert on %s referencing new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_update after update on %s referencing old table as old_rows new table as new_rows for each statement execute function audit.%I()', target, 'capture_' || label);
    execute format('create trigger audit_delete after delete on %s referencing old table as old_rows for each statement execute function audit.%I()', target, 'capture_' || label);
  end if;
  -- TRUNCATE fires no trigger for rows.
  if not exists (select from pg_catalog.pg_trigger g where g.tgrelid = target and g.tgtype & 32 <> 0) then
    execute format('create trigger audit_no_truncate before truncate on %s execute function private.refuse_truncate()', target);
  end if;
  insert into audit.captured_tables (table_name, category, named_columns, redacted_columns, columns)
  select target, category, named, redacted, array_agg(a.attname::text order by a.attnum)
  from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped
  on conflict (table_name) do update set category = excluded.category, named_columns = excluded.named_columns,
    redacted_columns = excluded.redacted_columns, columns = excluded.columns;
end $$;

do $$
declare
  c record;
begin
  for c in
    select p.oid, p.prosrc
    from audit.captured_tables t join pg_catalog.pg_class k on k.oid = t.table_name join pg_catalog.pg_namespace n on n.oid = k.relnamespace
      join pg_catalog.pg_proc p on p.pronamespace = 'audit'::regnamespace and p.proname = 'capture_' || n.nspname || '_' || k.relname
  loop
    execute replace(pg_get_functiondef(c.oid), c.prosrc, audit.with_bare_keys(c.prosrc));
  end loop;
end $$;

-- What is due ------------------------------------------------------------------------------------------------------------------------------

create function private.retained_rows(r privacy.retention_rules, cut_off timestamptz, out due text, out held text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  columns constant text[] := array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = to_regclass(r.table_name) and a.attnum > 0 and not a.attisdropped);
begin
  due := format('(%s) < %L::timestamptz', r.begins_at, cut_off);
  -- Rows of a family are about whoever was in it.
  held := concat_ws(' or ',
    case when 'user_id' = any (columns) then 'exists (select from private.held_subjects() h where h.user_id = x.user_id)' end,
    case when 'family_id' = any (columns) then 'exists (select from private.held_subjects() h where h.family_id = x.family_id
      or exists (select from public.family_members m where (m.family_id, m.user_id) = (x.family_id, h.user_id)))' end,
    case when 'email' = any (columns) then 'exists (select from private.held_subjects() h where lower(h.email) = lower(x.email))' end);
end $$;
comment on function private.retained_rows(privacy.retention_rules, timestamptz) is 'The conditions on rows x whose time is over, and on those that something preserves.';

create function ops.retention_due() returns table (table_name text, retention text, cut_off timestamptz, due bigint, held bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.retention_rules;
  c record;
begin
  perform private.maintenance_duty();
  for r in select x.* from privacy.retention_rules x order by x.table_name loop
    table_name := r.table_name;
    retention := r.retention;
    cut_off := (select clock_timestamp() - t.keeps from privacy.retentions t where t.retention = r.retention);
    c := private.retained_rows(r, cut_off);
    execute format('select count(*) filter (where not (%1$s)), count(*) filter (where %1$s) from %2$s x where %3$s', c.held, r.table_name, c.due) into due, held;
    return next;
  end loop;
end $$;
comment on function ops.retention_due() is 'For maintenance: of each table of privacy.retention_rules how many rows are over their time, and how many more are preserved; nobody is named.';

create function ops.retain_batch(table_name text, wanted integer default 5000) returns integer
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.retention_rules;
  batch privacy.retention_batches;
  keys text;
  c record;
  gone integer;
begin
  perform private.maintenance_duty();
  select x.* into r from privacy.retention_rules x where x.table_name = retain_batch.table_name;
  if not found then
    perform private.fail('NS006', format('no rule lets rows of %s go by themselves', table_name), 'nestctl datamap show');
  end if;
  insert into privacy.retention_batches (table_name, cut_off)
  select r.table_name, clock_timestamp() - t.keeps from privacy.retentions t where t.retention = r.retention returning * into batch;
  c := private.retained_rows(r, batch.cut_off);
  select string_agg(format('x.%I', a.attname), ', ' order by k.at) into keys
  from pg_catalog.pg_index i cross join unnest(i.indkey) with ordinality k (attnum, at) join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = to_regclass(r.table_name) and i.indisprimary;
  perform set_config('nestsync.imageless', 'keys', true);
  execute format('with taken as materialized (select x.ctid as place from %1$s x where %2$s and not (%3$s) order by %4$s limit %5$s for update)
    delete from %1$s x using taken t where x.ctid = t.place', r.table_name, c.due, c.held, keys, wanted);
  get diagnostics gone = row_count;
  perform set_config('nestsync.imageless', 'off', true);
  update privacy.retention_batches b set rows = gone where b.id = batch.id;
  return gone;
end $$;
comment on function ops.retain_batch(text, integer) is
  'Deletes so many rows of a table whose time is over, as a transaction of its own, but those that a hold, a request or a complaint preserves; returns how many.';

do $$
begin
  execute 'alter table privacy.retention_rules enable row level security';
  execute 'alter table privacy.retention_rules force row level security';
  execute 'alter table privacy.retention_batches enable row level security';
  execute 'alter table privacy.retention_batches force row level security';
  execute format('create policy retention_rules_owner_all on privacy.retention_rules to current_user using (true) with check (true)');
  execute format('create policy retention_batches_owner_all on privacy.retention_batches to current_user using (true) with check (true)');
end $$;
create policy retention_rules_staff_select on privacy.retention_rules for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
create policy retention_batches_staff_select on privacy.retention_batches for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select on privacy.retention_rules, privacy.retention_batches to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
insert into ops.duty_permissions (duty, resource, command, condition)
select duty, resource, 'select', 'always' from unnest('{compliance,sre,auditor,admin}'::text[]) duty, unnest('{retention_rules,retention_batches}'::text[]) resource;

select privacy.declare_operational('privacy.retention_rules', 'table_name retention begins_at'),
  privacy.declare_path('privacy.retention_rules', 'retention', 'link', null, null, 'retention', 'privacy.retentions', 'retention'),
  privacy.declare_operational('privacy.retention_batches', 'id table_name cut_off rows xid done_at', 'rights', 'audit'),
  privacy.declare_path('privacy.retention_batches', 'rule', 'link', null, null, 'table_name', 'privacy.retention_rules', 'table_name'),
  privacy.declare_path('privacy.retention_batches', 'by_done_by', 'direct', 'operator', 'subject', 'done_by', 'ops.operators', 'login'),
  privacy.declare('privacy.retention_batches', 'done_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
select audit.attach('privacy.retention_batches', 'modification');

revoke execute on all functions in schema privacy, private, ops, audit from public;
grant execute on function ops.retention_due(), ops.retain_batch(text, integer) to nestsync_sre, nestsync_admin;
