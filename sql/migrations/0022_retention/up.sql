-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on audit.archives, briefly
-- transaction: yes
-- reversible: yes, where nothing was ever pruned
-- seeds: audit.retention_periods, ops.approval_rules, audit.captured_tables, privacy.column_answers, privacy.paths

-- Months of the log that the law lets go. The record of each is documented in sql/docs/audit-retention.md.

create table audit.retention_periods (
  category audit.category primary key,
  years integer not null,
  constraint retention_periods_years check (years between 1 and 100)
);
comment on table audit.retention_periods is 'How many whole years each category is kept, from the end of the month of its events. Changes only by migration.';
insert into audit.retention_periods (category, years) values
  ('modification', 7), ('consent', 7), ('emergency', 7), ('access', 3), ('authentication', 1);
create trigger retention_periods_by_migration before insert or update or delete or truncate on audit.retention_periods
  execute function private.only_by_migration();

create table audit.prunings (
  id uuid primary key default gen_random_uuid(),
  category audit.category not null,
  month date not null,
  archive_id uuid references audit.archives (id),
  years integer not null,
  kept_until timestamptz not null,
  cut_off timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  tree_from bigint not null,
  tree_size bigint not null,
  events bigint not null,
  first_leaf bigint not null,
  last_leaf bigint not null,
  leaves text not null,
  approval_id uuid not null references ops.approvals (id),
  begun_by text not null default session_user,
  record text,
  record_xid xid8,
  recorded_at timestamptz,
  recorded_by text,
  record_event bigint,
  record_leaf bigint,
  dropped_at timestamptz,
  dropped_by text,
  constraint prunings_month check (extract(day from month) = 1 and month >= date '2000-01-01'),
  constraint prunings_kept check (kept_until = (month + interval '1 month' + make_interval(years => years)) at time zone 'UTC' and years >= 1),
  constraint prunings_expired check (kept_until <= cut_off),
  constraint prunings_tree check (tree_from >= 0 and tree_size > tree_from),
  constraint prunings_events check (events > 0 and first_leaf >= tree_from and last_leaf >= first_leaf and last_leaf < tree_size),
  constraint prunings_leaves check (leaves ~ '^[0-9a-f]{64}$'),
  constraint prunings_recorded check (num_nulls(record, record_xid, recorded_at, recorded_by) in (0, 4)),
  constraint prunings_dropped check (num_nulls(record_event, record_leaf, dropped_at, dropped_by) in (0, 4) and (dropped_at is null or recorded_at is not null))
);
create unique index prunings_open_idx on audit.prunings (category, month) where dropped_at is null and archive_id is null;
create unique index prunings_archive_idx on audit.prunings (archive_id) where archive_id is not null;
create index prunings_month_idx on audit.prunings (category, month, tree_size);
create index prunings_approval_idx on audit.prunings (approval_id);
comment on table audit.prunings is
  'Months of one category whose events were dropped because their years are over, or are about to be: begun under an approval, recorded (signed for, in an event that is sealed), then dropped.';
comment on column audit.prunings.archive_id is 'Of a month that was archived: its objects are destroyed in the store. Null: the partition is dropped.';
comment on column audit.prunings.kept_until is 'The end of the month and the years of its category: from here on it may go.';
comment on column audit.prunings.cut_off is 'When it was found that kept_until is past.';
comment on column audit.prunings.tree_from is 'The leaves of its category and month from here up to tree_size are those whose events go.';
comment on column audit.prunings.leaves is 'SHA-256 over those leaves in the order of the tree, hex: index (8 bytes), entry (30), hash (32) each.';
comment on column audit.prunings.record is 'The signed record of evidence, a DSSE envelope.';
comment on column audit.prunings.record_xid is 'The transaction that wrote the record into the log.';
comment on column audit.prunings.record_leaf is 'The leaf of the event that holds the record, record_event: sealed and under a checkpoint before anything was dropped.';
create trigger prunings_only_complete before update or delete on audit.prunings for each row execute function audit.only_complete();
create trigger prunings_no_truncate before truncate on audit.prunings execute function private.refuse_truncate();

create table audit.pruned_rows (
  pruning_id uuid not null references audit.prunings (id),
  table_name text not null,
  family_id uuid,
  record text not null,
  salt bytea not null,
  digest bytea not null,
  constraint pruned_rows_digest check (octet_length(digest) = 32)
);
create unique index pruned_rows_record_idx on audit.pruned_rows (table_name, record, pruning_id, (coalesce(family_id, '00000000-0000-0000-0000-000000000000')));
create index pruned_rows_pruning_idx on audit.pruned_rows (pruning_id);
comment on table audit.pruned_rows is
  'Rows whose first events were pruned, as a salted hash of what they held then, which is where the log begins for them (lint no_primary_key: a row of no family is told by its unique index).';
create trigger pruned_rows_append_only before update on audit.pruned_rows for each row execute function private.refuse_delete();
create trigger pruned_rows_no_truncate before truncate on audit.pruned_rows execute function private.refuse_truncate();

alter table audit.archive_objects add column destroyed_at timestamptz;
comment on column audit.archive_objects.destroyed_at is 'When every version of it was gone from the store, because the years of its month were over.';

create or replace view audit.baselines as
  select distinct on (b.table_name, b.record, b.family_id) b.table_name, b.family_id, b.record, b.salt, b.digest
  from (
    select r.table_name, r.family_id, r.record, r.salt, r.digest, a.dropped_at
    from audit.archived_rows r join audit.archives a on a.id = r.archive_id
    union all
    select r.table_name, r.family_id, r.record, r.salt, r.digest, p.dropped_at
    from audit.pruned_rows r join audit.prunings p on p.id = r.pruning_id
    union all
    select u.table_name, u.family_id, u.record, u.salt, u.digest, '-infinity'::timestamptz as dropped_at from audit.unlogged_rows u) b
  order by b.table_name, b.record, b.family_id, b.dropped_at desc;

insert into ops.approval_rules (action, requester_duty, approver_duty, lasts, about) values
  ('audit_retention', 'compliance', 'compliance', '7 days', 'months of the audit log whose years are over are destroyed for good');

-- What is due ---------------------------------------------------------------------------------------------------

create function audit.retention_hold(kind audit.category, month date) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select 'it is being archived: nestctl audit archive' from audit.archives a
  where a.category = kind and a.month = retention_hold.month and a.dropped_at is null limit 1;
end;
comment on function audit.retention_hold(audit.category, date) is
  'Why a month may not be pruned though its years are over; null: nothing holds it. Whatever holds the log is asked here and nowhere else.';

create function audit.due_retention() returns table (category audit.category, month date, archive uuid, years integer, kept_until timestamptz, events bigint, held text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'sre', 'auditor', 'admin') then
    perform private.fail('NS004', 'what is due of the audit log is asked under the duty compliance, sre, auditor or admin');
  end if;
  for category, month, years in
    select p.category, make_date(m.parts[1]::integer, m.parts[2]::integer, 1), p.years
    from audit.retention_periods p
      join pg_catalog.pg_partition_tree(to_regclass('audit.events_' || p.category)) t on t.isleaf
      join pg_catalog.pg_class c on c.oid = t.relid
      cross join lateral (select regexp_match(c.relname, '_([0-9]{4})_([0-9]{2})$') as parts) m
    where m.parts is not null
    order by 2, 1
  loop
    kept_until := (month + interval '1 month' + make_interval(years => years)) at time zone 'UTC';
    continue when kept_until > clock_timestamp()
      or exists (select from audit.prunings o where o.category = due_retention.category and o.month = due_retention.month and o.archive_id is null and o.dropped_at is null);
    execute format('select count(*) from %s', audit.partition_of(category, month)) into events;
    held := audit.retention_hold(category, month);
    if events > 0 then
      return next;
    end if;
  end loop;
  for category, month, archive, years, events in
    select a.category, a.month, a.id, p.years, a.events
    from audit.archives a join audit.retention_periods p on p.category = a.category
    where a.dropped_at is not null and not exists (select from audit.prunings o where o.archive_id = a.id)
    order by a.month, a.category, a.id
  loop
    kept_until := (month + interval '1 month' + make_interval(years => years)) at time zone 'UTC';
    held := case when exists (select from audit.archive_erasures x where x.archive_id = archive and x.done_at is null)
      then 'an erasure has still to reach it: nestctl audit archive' else audit.retention_hold(category, month) end;
    if kept_until <= clock_timestamp() then
      return next;
    end if;
  end loop;
end $$;
comment on function audit.due_retention() is
  'Months of the log whose years are over by the clock of the server, with their events; held: why one stays nevertheless. Those that are on their way already are left out.';

create function audit.plan_retention() returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'months of the audit log are pruned under the duty compliance', 'Take it with --duty compliance.');
  end if;
  return jsonb_build_object('do', 'prune', 'log', (select t.log_id from audit.tree t), 'months', coalesce((
    select jsonb_agg(jsonb_build_object('category', d.category, 'month', to_char(d.month, 'YYYY-MM'), 'archive', d.archive, 'years', d.years, 'events', d.events)
      order by d.month, d.category, d.archive)
    from audit.due_retention() d where d.held is null), '[]'));
end $$;
comment on function audit.plan_retention() is 'What audit.begin_retention would begin to prune: what a second operator approves.';

-- Pruning -------------------------------------------------------------------------------------------------------

create or replace function audit.gone_before(kind audit.category, month date) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select greatest(
    (select coalesce(max(a.tree_size), 0) from audit.archives a where a.category = kind and a.month = gone_before.month),
    (select coalesce(max(p.tree_size), 0) from audit.prunings p where p.category = kind and p.month = gone_before.month));
end;

create function audit.month_leaves(kind audit.category, month date, tree_from bigint, tree_size bigint,
  out events bigint, out first_leaf bigint, out last_leaf bigint, out leaves text, out in_order bytea)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select count(*), min(l.place), max(l.place),
    encode(sha256(string_agg(int8send(l.place) || l.entry || l.hash, ''::bytea order by l.place)), 'hex'),
    sha256(string_agg(l.entry || l.hash, ''::bytea order by l.entry))
  from (
    select t.number * 256 + g as place, substr(t.entries, g * 30 + 1, 30) as entry, substr(t.hashes, g * 32 + 1, 32) as hash
    -- Fenced off, so that each tile is fetched once rather than once for each of its leaves.
    from (
      select p.number, p.hashes || ''::bytea as hashes, p.entries || ''::bytea as entries
      from audit.tiles p where p.level = 0 and p.number between month_leaves.tree_from / 256 and (month_leaves.tree_size - 1) / 256 offset 0) t
      cross join lateral generate_series(0, octet_length(t.entries) / 30 - 1) g) l
  where l.place >= month_leaves.tree_from and l.place < month_leaves.tree_size
    and substr(l.entry, 29, 2) = convert_to(left(kind::text, 2), 'UTF8')
    and substr(l.entry, 21, 8) >= timestamptz_send(month_leaves.month::timestamp at time zone 'UTC')
    and substr(l.entry, 21, 8) < timestamptz_send((month_leaves.month + interval '1 month') at time zone 'UTC');
end;
comment on function audit.month_leaves(audit.category, date, bigint, bigint) is
  'The leaves that a part of the tree has of a month: how many, which, SHA-256 as audit.prunings.leaves, and SHA-256 over entry and hash in the order of entries, which does not know where they stand.';

create function audit.begin_retention() returns setof audit.prunings
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_plan constant jsonb := audit.plan_retention();
  approval uuid;
  size bigint;
  t audit.tree;
  due record;
  part regclass;
  low bigint;
  here record;
  sealed record;
  p audit.prunings;
begin
  if v_plan -> 'months' = '[]' then
    perform private.fail('NS005', 'no month of the audit log has been kept for all its years', 'nestctl audit retention --dry-run');
  end if;
  approval := ops.use_approval('audit_retention', v_plan);
  perform audit.require_epoch();
  lock table audit.archives in share row exclusive mode;
  select q.* into t from audit.tree q;
  select max(c.size) into size from audit.checkpoints c where c.size <= t.size;
  for due in select d.* from audit.due_retention() d where d.held is null loop
    if due.archive is not null then
      select a.tree_from, a.tree_size, a.leaves into here from audit.archives a where a.id = due.archive;
      select m.* into sealed from audit.month_leaves(due.category, due.month, here.tree_from, here.tree_size) m;
      if (sealed.events, sealed.leaves) is distinct from (due.events, here.leaves) then
        perform private.fail('NS005', format('the archive of %s %s is not of what was sealed', due.category, to_char(due.month, 'YYYY-MM')), 'nestctl audit verify');
      end if;
      insert into audit.prunings (category, month, archive_id, years, kept_until, tree_from, tree_size, events, first_leaf, last_leaf, leaves, approval_id)
      values (due.category, due.month, due.archive, due.years, due.kept_until, here.tree_from, here.tree_size, sealed.events, sealed.first_leaf, sealed.last_leaf,
        sealed.leaves, approval)
      returning * into p;
      return next p;
      continue;
    end if;
    part := audit.partition_of(due.category, due.month);
    low := audit.gone_before(due.category, due.month);
    execute format('lock table %s in share mode', part);
    execute format('select count(*) as events, count(*) filter (where e.epoch >= $1 and e.xid >= $2) as loose, max(e.occurred_at) as newest from %s e', part)
      into here using t.first_epoch, t.watermark;
    if here.newest >= (due.month + interval '1 month') at time zone 'UTC' then
      perform private.fail('NS005', format('%s holds an event of %s', part, here.newest), 'nestctl audit verify');
    elsif here.loose > 0 or coalesce(size, 0) <= low then
      perform private.fail('NS005', format('%s events of %s %s are not sealed', here.loose, due.category, to_char(due.month, 'YYYY-MM')), 'nestctl audit seal');
    end if;
    select m.* into sealed from audit.month_leaves(due.category, due.month, low, size) m;
    select count(*) as events, sha256(string_agg(h.entry || coalesce(h.leaf_now, ''), ''::bytea order by h.entry)) as in_order into here
    from audit.event_hashes h
    where h.category = due.category and h.occurred_at >= due.month::timestamp at time zone 'UTC' and h.occurred_at < (due.month + interval '1 month') at time zone 'UTC';
    if (here.events, here.in_order) is distinct from (sealed.events, sealed.in_order) then
      perform private.fail('NS005', format('the events of %s %s are not those that were sealed', due.category, to_char(due.month, 'YYYY-MM')), 'nestctl audit verify');
    end if;
    insert into audit.prunings (category, month, years, kept_until, tree_from, tree_size, events, first_leaf, last_leaf, leaves, approval_id)
    values (due.category, due.month, due.years, due.kept_until, low, size, sealed.events, sealed.first_leaf, sealed.last_leaf, sealed.leaves, approval)
    returning * into p;
    return next p;
  end loop;
end $$;
comment on function audit.begin_retention() is
  'Begins to prune every month whose years are over and that nothing holds, under the approval of audit.plan_retention: each must hold exactly the events that were sealed. Nothing is dropped yet.';

create function audit.pruning_facts(p audit.prunings) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select jsonb_build_object('log', t.log_id, 'pruning', p.id, 'category', p.category, 'month', to_char(p.month, 'YYYY-MM'), 'archive', p.archive_id, 'years', p.years,
    'kept_until', to_char(p.kept_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'cut_off', to_char(p.cut_off at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'tree_from', p.tree_from, 'tree_size', p.tree_size, 'events', p.events, 'first_leaf', p.first_leaf, 'last_leaf', p.last_leaf, 'leaves', p.leaves,
    'approval', p.approval_id)
  from audit.tree t;
end;
comment on function audit.pruning_facts(audit.prunings) is 'What is signed of a month before it is pruned.';

create function audit.open_pruning(pruning uuid) returns audit.prunings
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  p audit.prunings;
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'months of the audit log are pruned under the duty compliance', 'Take it with --duty compliance.');
  end if;
  select q.* into p from audit.prunings q where q.id = pruning for update;
  if not found then
    perform private.fail('NS006', format('no month was begun as %s', pruning));
  elsif p.dropped_at is not null then
    perform private.fail('NS005', format('%s %s is pruned already', p.category, to_char(p.month, 'YYYY-MM')));
  end if;
  return p;
end $$;

create function audit.record_pruning(pruning uuid, record text) returns audit.prunings
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  p audit.prunings := audit.open_pruning(pruning);
  statement jsonb;
begin
  if p.recorded_at is not null then
    perform private.fail('NS005', format('%s %s is recorded already', p.category, to_char(p.month, 'YYYY-MM')));
  end if;
  begin
    statement := convert_from(decode(record::jsonb ->> 'payload', 'base64'), 'UTF8')::jsonb;
  exception when others then
    perform private.fail('NS007', 'that is no signed record');
  end;
  -- Whether a known key signed it is what nestctl audit verify tells.
  if statement ->> 'predicateType' is distinct from 'urn:nestctl:evidence:audit-retention:v1'
    or statement #> '{predicate,content}' is distinct from audit.pruning_facts(p)
    or coalesce(jsonb_array_length(record::jsonb -> 'signatures'), 0) = 0
  then
    perform private.fail('NS007', format('the record is not of exactly what is pruned of %s %s', p.category, to_char(p.month, 'YYYY-MM')));
  end if;
  update audit.prunings q set record = record_pruning.record, record_xid = pg_current_xact_id(), recorded_at = clock_timestamp(), recorded_by = session_user
  where q.id = pruning returning q.* into p;
  return p;
end $$;
comment on function audit.record_pruning(uuid, text) is
  'Writes the signed record of what is to be pruned into the log. record: an envelope whose statement says exactly audit.pruning_facts.';

create function audit.ready_to_prune(pruning uuid, out p audit.prunings, out event bigint, out leaf bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  years integer;
  held text;
begin
  p := audit.open_pruning(pruning);
  name := p.category || ' ' || to_char(p.month, 'YYYY-MM');
  held := audit.retention_hold(p.category, p.month);
  if p.recorded_at is null then
    perform private.fail('NS005', format('%s is not recorded', name), 'nestctl audit retention');
  elsif held is not null then
    perform private.fail('NS005', format('%s is held: %s', name, held));
  end if;
  -- The years may have grown since.
  select r.years into years from audit.retention_periods r where r.category = p.category;
  if (p.month + interval '1 month' + make_interval(years => greatest(years, p.years))) at time zone 'UTC' > clock_timestamp() then
    perform private.fail('NS005', format('%s has not been kept for %s years', name, greatest(years, p.years)));
  end if;
  select e.id, audit.leaf_index(e.id) into event, leaf from audit.events e
  where e.table_name = 'audit.prunings' and e.operation = 'UPDATE' and e.record_id = p.id and e.xid = p.record_xid and e.new_row ->> 'record' = p.record;
  if event is null then
    perform private.fail('NS005', format('the record of %s is not in the log', name), 'nestctl audit verify');
  elsif leaf is null or not exists (select from audit.checkpoints c where c.size > leaf) then
    perform private.fail('NS005', format('the record of %s is not sealed yet', name), 'nestctl audit seal');
  end if;
end $$;
comment on function audit.ready_to_prune(uuid) is
  'The month, and where its signed record stands in the log; refuses while it is not sealed under a checkpoint, or something holds it.';

create function audit.drop_pruned(pruning uuid) returns audit.prunings
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  ready constant record := audit.ready_to_prune(pruning);
  p audit.prunings := ready.p;
  part regclass := audit.partition_of(p.category, p.month);
  name constant text := p.category || ' ' || to_char(p.month, 'YYYY-MM');
  here record;
begin
  if p.archive_id is not null then
    perform private.fail('NS005', format('%s is archived: its objects are destroyed in the store', name), 'nestctl audit retention');
  elsif part is null then
    perform private.fail('NS006', format('there is no partition of %s', name), 'nestctl audit verify');
  end if;
  execute format('lock table %s in access exclusive mode', part);
  execute format('select count(*) as events, count(*) filter (where e.occurred_at >= $1) as young from %s e', part)
    into here using (p.month + interval '1 month') at time zone 'UTC';
  if here.events <> p.events or here.young > 0 then
    perform private.fail('NS005', format('%s has %s events, and %s are on record', name, here.events, p.events), 'nestctl audit verify');
  end if;
  perform audit.keep_baselines(p.id, 'audit.pruned_rows', part);
  execute format('drop table %s', part);
  update audit.prunings q set record_event = ready.event, record_leaf = ready.leaf, dropped_at = clock_timestamp(), dropped_by = session_user
  where q.id = pruning returning q.* into p;
  return p;
end $$;
comment on function audit.drop_pruned(uuid) is
  'Drops a month whose years are over, once its signed record is an event in the log that is sealed under a checkpoint.';

create function audit.ready_to_destroy(pruning uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ready constant record := audit.ready_to_prune(pruning);
begin
  if exists (select from audit.archive_erasures x where x.archive_id = (ready.p).archive_id and x.done_at is null) then
    perform private.fail('NS005', 'an erasure has still to reach the archive', 'nestctl audit archive');
  end if;
end $$;
comment on function audit.ready_to_destroy(uuid) is 'Refuses where the objects of an archived month may not be destroyed yet.';

create function audit.mark_destroyed(pruning uuid, kind text, number integer) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ready constant record := audit.ready_to_prune(pruning);
begin
  update audit.archive_objects o set destroyed_at = clock_timestamp()
  where o.archive_id = (ready.p).archive_id and o.kind = mark_destroyed.kind and o.number = mark_destroyed.number and o.destroyed_at is null;
end $$;
comment on function audit.mark_destroyed(uuid, text, integer) is 'Says that no version of an object of an archived month is in the store any more.';

create function audit.finish_destroyed(pruning uuid) returns audit.prunings
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ready constant record := audit.ready_to_prune(pruning);
  p audit.prunings;
begin
  if (ready.p).archive_id is null or exists (
    select from audit.archive_objects o where o.archive_id = (ready.p).archive_id and o.destroyed_at is null)
  then
    perform private.fail('NS005', 'not every object of the archive is destroyed', 'nestctl audit retention');
  end if;
  update audit.prunings q set record_event = ready.event, record_leaf = ready.leaf, dropped_at = clock_timestamp(), dropped_by = session_user
  where q.id = pruning returning q.* into p;
  return p;
end $$;
comment on function audit.finish_destroyed(uuid) is 'Records that an archived month is pruned: every object of it is destroyed in the store.';

create or replace function audit.reach_archives() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_table_name = 'erasures' then
    -- One that begins now waits, and then copies what is left.
    lock table audit.archives in share mode;
    insert into audit.archive_erasures (approval_id, archive_id, request)
    select new.approval_id, a.id, new.request from audit.archives a
    where not exists (select from audit.prunings p where p.archive_id = a.id and p.dropped_at is not null);
  else
    update audit.archive_erasures x set readings = x.readings || old.id
    from audit.erasures e where e.approval_id = x.approval_id and e.erased_xid = pg_current_xact_id();
  end if;
  return null;
end $$;

create or replace function audit.archived_months(since timestamptz, until timestamptz) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(distinct m.name order by m.name), '{}') from (
    select a.category || ' ' || to_char(a.month, 'YYYY-MM') as name from audit.archives a
    where a.dropped_at is not null and (select private.session_duty()) is not null
      and not exists (select from audit.prunings p where p.archive_id = a.id and p.dropped_at is not null)
      and (until is null or a.month < until at time zone 'UTC') and (since is null or a.month + interval '1 month' > since at time zone 'UTC')) m;
end;

create function audit.refuse_pruned() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from audit.prunings p where p.category = new.category and p.month = new.month and p.archive_id is null and p.dropped_at is null) then
    perform private.fail('NS005', format('%s %s is being pruned', new.category, to_char(new.month, 'YYYY-MM')), 'nestctl audit retention');
  end if;
  return new;
end $$;
create trigger archives_refuse_pruned before insert on audit.archives for each row execute function audit.refuse_pruned();

-- Readers -------------------------------------------------------------------------------------------------------

create function audit.pruned_months(since timestamptz, until timestamptz) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(distinct m.name order by m.name), '{}') from (
    select p.category || ' ' || to_char(p.month, 'YYYY-MM') as name from audit.prunings p
    where p.dropped_at is not null and (select private.session_duty()) is not null
      and (until is null or p.month < until at time zone 'UTC') and (since is null or p.month + interval '1 month' > since at time zone 'UTC')) m;
end;
comment on function audit.pruned_months(timestamptz, timestamptz) is 'Which months (category and month) of a span were pruned because their years were over; null: open on that side.';

create function audit.pruning_event(p audit.prunings) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select case
    when audit.leaf_event(p.record_leaf) is distinct from p.record_event then 'another leaf'
    when e.id is null then 'gone'
    when e.table_name = 'audit.prunings' and e.operation = 'UPDATE' and e.record_id = p.id and e.new_row ->> 'record' = p.record then 'there'
    else 'another event' end
  from (select 1) one left join audit.events e on e.id = p.record_event
  where private.session_duty() in ('compliance', 'sre', 'auditor', 'admin');
end;
comment on function audit.pruning_event(audit.prunings) is
  'Whether the log holds the record of what was pruned: there; gone (its own month was archived or pruned since; its leaf stays); another leaf; another event.';

do $$
declare
  name text;
  readers constant text := 'nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin';
begin
  foreach name in array '{retention_periods,prunings,pruned_rows}'::text[] loop
    execute format('alter table audit.%I enable row level security', name);
    execute format('alter table audit.%I force row level security', name);
    execute format('create policy %I on audit.%I to current_user using (true) with check (true)', name || '_owner_all', name);
    if name <> 'pruned_rows' then
      execute format('create policy %I on audit.%I for select to %s using ((select private.session_duty()) is not null)', name || '_staff_select', name, readers);
      execute format('grant select on audit.%I to %s', name, readers);
    end if;
  end loop;
end $$;
select audit.attach('audit.prunings', 'modification');

revoke execute on function audit.retention_hold(audit.category, date), audit.due_retention(), audit.plan_retention(), audit.month_leaves(audit.category, date, bigint, bigint),
  audit.begin_retention(), audit.pruning_facts(audit.prunings), audit.open_pruning(uuid), audit.record_pruning(uuid, text), audit.drop_pruned(uuid),
  audit.ready_to_prune(uuid), audit.ready_to_destroy(uuid), audit.mark_destroyed(uuid, text, integer), audit.finish_destroyed(uuid),
  audit.refuse_pruned(), audit.pruned_months(timestamptz, timestamptz), audit.pruning_event(audit.prunings) from public;
grant execute on function audit.pruned_months(timestamptz, timestamptz) to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.due_retention(), audit.pruning_event(audit.prunings) to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.plan_retention(), audit.begin_retention(), audit.record_pruning(uuid, text), audit.drop_pruned(uuid),
  audit.ready_to_destroy(uuid), audit.mark_destroyed(uuid, text, integer), audit.finish_destroyed(uuid) to nestsync_compliance;

-- What the data map says of it ----------------------------------------------------------------------------------

select privacy.declare_operational('audit.retention_periods', 'category years', 'accountability', 'audit'),
  privacy.declare_operational('audit.prunings', 'id category month archive_id years kept_until cut_off tree_from tree_size events first_leaf last_leaf leaves approval_id record record_xid recorded_at record_event record_leaf dropped_at', 'accountability', 'audit'),
  privacy.declare('audit.prunings', 'begun_by recorded_by dropped_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability'),
  privacy.declare_path('audit.prunings', 'by_begun_by', 'direct', 'operator', 'subject', 'begun_by', 'ops.operators', 'login'),
  privacy.declare_path('audit.prunings', 'by_recorded_by', 'direct', 'operator', 'subject', 'recorded_by', 'ops.operators', 'login'),
  privacy.declare_path('audit.prunings', 'by_dropped_by', 'direct', 'operator', 'subject', 'dropped_by', 'ops.operators', 'login'),
  privacy.declare_operational('audit.archive_objects', 'destroyed_at', 'accountability', 'audit'),
  privacy.declare_path('audit.prunings', 'archive', 'link', null, null, 'archive_id', 'audit.archives', 'id'),
  privacy.declare_path('audit.prunings', 'approval', 'link', null, null, 'approval_id', 'ops.approvals', 'id'),
  privacy.declare_path('audit.pruned_rows', 'pruning', 'link', null, null, 'pruning_id', 'audit.prunings', 'id'),
  privacy.declare_path('audit.pruned_rows', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id'),
  privacy.declare_path('audit.pruned_rows', 'person', 'payload', 'account', 'subject', 'record', 'public.users', 'id', 'contains'),
  privacy.declare('audit.pruned_rows', 'family_id', 'joint', 'household', 'identifier', 'assigned', 'accountability', 'audit', 'delete'),
  privacy.declare('audit.pruned_rows', 'record', 'subject', 'account', 'identifier', 'assigned', 'accountability', 'audit', 'delete'),
  privacy.declare('audit.pruned_rows', 'salt digest', 'subject', 'account', 'access_record', 'assigned', 'accountability', 'audit', 'delete', withheld => 'a hash, which tells nothing'),
  privacy.declare_operational('audit.pruned_rows', 'pruning_id table_name', 'accountability', 'audit');
