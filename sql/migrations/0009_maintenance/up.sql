-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no maintenance was ever run
-- seeds: audit.captured_tables

create table ops.maintenance_runs (
  id uuid primary key default gen_random_uuid(),
  job text not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  outcome text,
  detail text,
  counts jsonb not null default '{}',
  error_code text,
  run_by text not null default session_user,
  duty text not null,
  host text not null,
  server text not null,
  wal_lsn pg_lsn not null,
  constraint maintenance_runs_job check (job ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' and char_length(job) <= 63),
  constraint maintenance_runs_outcome check (outcome in ('done', 'finding', 'unknown', 'failed', 'abandoned')),
  constraint maintenance_runs_ended check ((ended_at is null) = (outcome is null)),
  constraint maintenance_runs_error check (error_code is null or outcome = 'failed'),
  constraint maintenance_runs_counts check (jsonb_typeof(counts) = 'object'),
  constraint maintenance_runs_time_order check (ended_at >= started_at)
);
comment on table ops.maintenance_runs is 'Every run of a maintenance job: what came of it, by whom, from which machine, on which server.';
comment on column ops.maintenance_runs.outcome is
  'done; finding: it ran, and what it looks after is not right; unknown: it could not look; failed; abandoned: the console that ran it is gone. Null while it runs.';
comment on column ops.maintenance_runs.host is 'The machine of the console.';
comment on column ops.maintenance_runs.server is 'Address and port of the database server, as it knows them.';
comment on column ops.maintenance_runs.wal_lsn is 'Where the log stood when the run began: all that was committed before is below it.';
create index maintenance_runs_job_idx on ops.maintenance_runs (job, started_at desc);
create index maintenance_runs_open_idx on ops.maintenance_runs (started_at) where ended_at is null;

create function private.stamp_maintenance_run() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.started_at := clock_timestamp();
    new.run_by := session_user;
    new.ended_at := null;
    new.outcome := null;
    return new;
  end if;
  if old.ended_at is not null
    or to_jsonb(new) - array['ended_at', 'outcome', 'detail', 'counts', 'error_code']
      <> to_jsonb(old) - array['ended_at', 'outcome', 'detail', 'counts', 'error_code'] then
    perform private.fail('NS005', 'a maintenance run never changes; it can only end, once');
  end if;
  new.ended_at := clock_timestamp();
  return new;
end $$;
create trigger maintenance_runs_stamp before insert or update on ops.maintenance_runs
  for each row execute function private.stamp_maintenance_run();
create trigger maintenance_runs_no_delete before delete on ops.maintenance_runs
  for each row execute function private.refuse_delete();
create trigger maintenance_runs_no_truncate before truncate on ops.maintenance_runs
  execute function private.refuse_truncate();

alter table ops.maintenance_runs enable row level security;
alter table ops.maintenance_runs force row level security;
create policy maintenance_runs_owner_all on ops.maintenance_runs to current_user using (true) with check (true);
create policy maintenance_runs_staff_select on ops.maintenance_runs for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select on ops.maintenance_runs to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
select audit.attach('ops.maintenance_runs', 'access');

-- Running it ------------------------------------------------------------------------------------------------

create function private.maintenance_duty() returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_duty text := private.session_duty();
begin
  if coalesce(v_duty, '') not in ('sre', 'admin') then
    perform private.fail('NS004', 'maintenance is run under the duty sre or admin');
  end if;
  return v_duty;
end $$;

create function private.holds_maintenance_lock() returns boolean
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  return exists (
    select from pg_catalog.pg_locks l
    where l.locktype = 'advisory' and l.granted and l.pid = pg_backend_pid() and l.classid = 1852142452 and l.objid = 2 and l.objsubid = 2
      and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()));
comment on function private.holds_maintenance_lock() is
  'Whether this very session holds the one lock of maintenance, pg_advisory_lock(1852142452, 2).';

create function ops.start_maintenance(job text, host text) returns table (id uuid, started_at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_duty text := private.maintenance_duty();
begin
  if not private.holds_maintenance_lock() then
    perform private.fail('NS005', 'this session does not hold the lock of maintenance',
      'Take it first: select pg_advisory_lock(1852142452, 2). A pooler in transaction mode loses it.');
  end if;
  -- Whoever began these had the lock, and has it no more.
  update ops.maintenance_runs r set outcome = 'abandoned', detail = 'the console that ran it went away' where r.ended_at is null;
  return query
    insert into ops.maintenance_runs as r (job, duty, host, server, wal_lsn)
    values (start_maintenance.job, v_duty, left(coalesce(start_maintenance.host, ''), 255),
      coalesce(host(inet_server_addr()), 'socket') || ':' || coalesce(inet_server_port()::text, current_setting('port')),
      pg_current_wal_insert_lsn())
    returning r.id, r.started_at;
end $$;
comment on function ops.start_maintenance(text, text) is
  'Records that a job of maintenance begins, and that earlier ones without an end were abandoned. Needs the lock of maintenance.';

create function ops.end_maintenance(run uuid, outcome text, detail text, counts jsonb default '{}', error_code text default null) returns timestamptz
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  at timestamptz;
begin
  perform private.maintenance_duty();
  update ops.maintenance_runs r set outcome = end_maintenance.outcome, detail = end_maintenance.detail,
    counts = coalesce(end_maintenance.counts, '{}'), error_code = end_maintenance.error_code
  where r.id = run and r.run_by = session_user returning r.ended_at into at;
  if at is null then
    perform private.fail('NS006', format('you have no maintenance run %s', run));
  end if;
  return at;
end $$;
comment on function ops.end_maintenance(uuid, text, text, jsonb, text) is 'Records what came of a run of one''s own, once.';

-- Jobs ------------------------------------------------------------------------------------------------------

create function ops.prepare_audit_partitions() returns setof text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.maintenance_duty();
  return query select audit.add_partitions((now() at time zone 'UTC')::date, 4);
end $$;
comment on function ops.prepare_audit_partitions() is
  'Makes the partitions of the audit log for this month and the next three, where missing; returns the names of those it made.';

create function ops.empty_audit_defaults(out moved bigint, out partitions bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind audit.category;
  months date[] := '{}';
  more date[];
  month date;
begin
  perform private.maintenance_duty();
  select coalesce(sum(d.events), 0) into moved from audit.default_partitions() d;
  foreach kind in array enum_range(null::audit.category) loop
    execute format('select array(select distinct date_trunc(''month'', occurred_at at time zone ''UTC'')::date from audit.%I)', 'events_' || kind || '_default')
      into more;
    months := months || more;
  end loop;
  partitions := 0;
  foreach month in array array(select distinct m from unnest(months) m order by m) loop
    partitions := partitions + (select count(*) from audit.add_partitions(month, 1));
  end loop;
  select moved - coalesce(sum(d.events), 0) into moved from audit.default_partitions() d;
end $$;
comment on function ops.empty_audit_defaults() is
  'Moves the events that the default partitions hold to partitions of their months; how many, and how many partitions that took.';

create function ops.expire_invitations(at_most integer default 1000) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  expired bigint;
begin
  perform private.maintenance_duty();
  with due as (
    select i.family_id, i.id from public.family_invitations i
    where i.status = 'pending' and i.expires_at <= clock_timestamp()
    order by i.expires_at limit at_most
    -- One that is being accepted or withdrawn at this moment is left for the next run.
    for update skip locked
  )
  update public.family_invitations i set status = 'expired' from due where i.family_id = due.family_id and i.id = due.id;
  get diagnostics expired = row_count;
  return expired;
end $$;
comment on function ops.expire_invitations(integer) is
  'Gives invitations that nobody accepted in time the status they have by the clock; how many, so that the caller can go on.';

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.start_maintenance(text, text), ops.end_maintenance(uuid, text, text, jsonb, text),
  ops.prepare_audit_partitions(), ops.empty_audit_defaults(), ops.expire_invitations(integer)
  to nestsync_sre, nestsync_admin;
