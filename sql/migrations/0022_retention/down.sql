select privacy.undeclare('audit.archive_objects', 'destroyed_at'), privacy.undeclare('audit.retention_periods'), privacy.undeclare('audit.prunings'), privacy.undeclare('audit.pruned_rows');
drop trigger archives_refuse_pruned on audit.archives;
delete from audit.captured_tables where table_name = 'audit.prunings'::regclass;
delete from ops.approval_rules where action = 'audit_retention';
drop function audit.pruning_event(audit.prunings);
drop function audit.pruned_months(timestamptz, timestamptz);
drop function audit.refuse_pruned();
drop function audit.finish_destroyed(uuid);
drop function audit.mark_destroyed(uuid, text, integer);
drop function audit.ready_to_destroy(uuid);
drop function audit.drop_pruned(uuid);
drop function audit.ready_to_prune(uuid);
create or replace function audit.archived_months(since timestamptz, until timestamptz) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(distinct m.name order by m.name), '{}') from (
    select a.category || ' ' || to_char(a.month, 'YYYY-MM') as name from audit.archives a
    where a.dropped_at is not null and (select private.session_duty()) is not null
      and (until is null or a.month < until at time zone 'UTC') and (since is null or a.month + interval '1 month' > since at time zone 'UTC')) m;
end;
create or replace function audit.reach_archives() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_table_name = 'erasures' then
    -- One that begins now waits, and then copies what is left.
    lock table audit.archives in share mode;
    insert into audit.archive_erasures (approval_id, archive_id, request) select new.approval_id, a.id, new.request from audit.archives a;
  else
    update audit.archive_erasures x set readings = x.readings || old.id
    from audit.erasures e where e.approval_id = x.approval_id and e.erased_xid = pg_current_xact_id();
  end if;
  return null;
end $$;
drop function audit.record_pruning(uuid, text);
drop function audit.open_pruning(uuid);
drop function audit.pruning_facts(audit.prunings);
drop function audit.begin_retention();
drop function audit.month_leaves(audit.category, date, bigint, bigint);
create or replace function audit.gone_before(kind audit.category, month date) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(max(a.tree_size), 0) from audit.archives a where a.category = kind and a.month = gone_before.month;
end;
drop function audit.plan_retention();
drop function audit.due_retention();
drop function audit.retention_hold(audit.category, date);
create or replace view audit.baselines as
  select distinct on (b.table_name, b.record, b.family_id) b.table_name, b.family_id, b.record, b.salt, b.digest
  from (
    select r.table_name, r.family_id, r.record, r.salt, r.digest, a.dropped_at
    from audit.archived_rows r join audit.archives a on a.id = r.archive_id
    union all
    select u.table_name, u.family_id, u.record, u.salt, u.digest, '-infinity'::timestamptz as dropped_at from audit.unlogged_rows u) b
  order by b.table_name, b.record, b.family_id, b.dropped_at desc;
alter table audit.archive_objects drop column destroyed_at;
drop table audit.pruned_rows;
drop table audit.prunings;
drop function audit.capture_audit_prunings();
drop table audit.retention_periods;
