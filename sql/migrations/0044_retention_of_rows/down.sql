do $$
begin
  if exists (select from privacy.retention_batches) then
    raise exception 'rows were deleted when their time was over: the record of it is not dropped';
  end if;
end $$;
delete from audit.captured_tables where table_name = 'privacy.retention_batches'::regclass;
delete from ops.duty_permissions where resource in ('retention_rules', 'retention_batches');
select privacy.undeclare('privacy.retention_batches'), privacy.undeclare('privacy.retention_rules');
drop function ops.retain_batch(text, integer);
drop function ops.retention_due();
drop function private.retained_rows(privacy.retention_rules, timestamptz);
do $$
declare
  c record;
begin
  for c in
    select p.oid, p.prosrc
    from audit.captured_tables t join pg_catalog.pg_class k on k.oid = t.table_name join pg_catalog.pg_namespace n on n.oid = k.relnamespace
      join pg_catalog.pg_proc p on p.pronamespace = 'audit'::regnamespace and p.proname = 'capture_' || n.nspname || '_' || k.relname
  loop
    execute replace(pg_get_functiondef(c.oid), c.prosrc, replace(regexp_replace(c.prosrc, '  -- Rows whose time is over[^\n]*\n[^\n]*\n', ''), 'case when v_bare then null::json else row_to_json(x) end as image from old_rows r', 'row_to_json(x) as image from old_rows r'));
  end loop;
end $$;

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
    'capture_' || label, settings, audit.with_skeletons(audit.capture_body(target, category, family, person, record, named, redacted), target, category));
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

drop function audit.with_bare_keys(text);
drop function private.retaining();
drop table privacy.retention_batches;
drop table privacy.retention_rules;
drop function audit.capture_privacy_retention_batches();
