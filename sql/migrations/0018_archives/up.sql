-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on audit.erasures and audit.readings, briefly
-- transaction: yes
-- reversible: yes, where nothing was ever archived
-- seeds: audit.captured_tables

-- Whole months of the log that lie in the object store. The format is documented in sql/docs/audit-archive.md.

create table audit.archives (
  id uuid primary key default gen_random_uuid(),
  category audit.category not null,
  month date not null,
  tree_from bigint not null,
  tree_size bigint not null,
  place text not null,
  begun_at timestamptz not null default clock_timestamp(),
  begun_by text not null default session_user,
  events bigint,
  first_leaf bigint,
  last_leaf bigint,
  leaves text,
  manifest text,
  record text,
  recorded_at timestamptz,
  recorded_by text,
  dropped_at timestamptz,
  dropped_by text,
  constraint archives_month check (extract(day from month) = 1),
  constraint archives_tree check (tree_from >= 0 and tree_size > tree_from),
  constraint archives_events check (events > 0 and first_leaf >= tree_from and last_leaf >= first_leaf and last_leaf < tree_size),
  constraint archives_digests check (leaves ~ '^[0-9a-f]{64}$' and manifest ~ '^[0-9a-f]{64}$'),
  constraint archives_recorded check (num_nulls(events, first_leaf, last_leaf, leaves, manifest, record, recorded_at, recorded_by) in (0, 8)),
  constraint archives_dropped check ((dropped_at is null) = (dropped_by is null) and (dropped_at is null or recorded_at is not null))
);
create unique index archives_open_idx on audit.archives (category, month) where dropped_at is null;
create index archives_month_idx on audit.archives (category, month, tree_size);
comment on table audit.archives is
  'Months of one category that are kept in the object store, or on their way there: begun, then recorded (every object is there and signed for), then dropped from the database.';
comment on column audit.archives.tree_from is 'It holds the leaves of its category and month from here up to tree_size: what came with a wrong clock later is another archive.';
comment on column audit.archives.leaves is 'SHA-256 over its leaves in the order of the tree, hex: index (8 bytes), entry (30), hash (32) each.';
comment on column audit.archives.manifest is 'SHA-256 of the manifest, which names the locked objects with theirs, hex.';
comment on column audit.archives.record is 'The signed record of evidence, a DSSE envelope.';

create table audit.archive_objects (
  archive_id uuid not null references audit.archives (id),
  kind text not null,
  number integer not null,
  key text not null,
  version text,
  size bigint not null,
  sha256 text not null,
  events bigint not null,
  first_at timestamptz,
  last_at timestamptz,
  primary key (archive_id, kind, number),
  constraint archive_objects_kind check (kind in ('manifest', 'leaves', 'proof', 'skeleton', 'personal')),
  constraint archive_objects_number check (number >= 0 and size >= 0 and events >= 0),
  constraint archive_objects_sha256 check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table audit.archive_objects is
  'The objects of archives, with their versions. Those with personal parts are not locked, and are replaced by an erasure.';

create table audit.archive_erasures (
  approval_id uuid not null references audit.erasures (approval_id),
  archive_id uuid not null references audit.archives (id),
  request text not null,
  readings uuid[] not null default '{}',
  done_at timestamptz,
  done_by text,
  events bigint,
  parts bigint,
  primary key (approval_id, archive_id),
  constraint archive_erasures_done check (num_nulls(done_at, done_by, events, parts) in (0, 4))
);
create index archive_erasures_archive_idx on audit.archive_erasures (archive_id);
comment on table audit.archive_erasures is
  'What an erasure in the log has still to destroy in an archive, and what it destroyed there.';
comment on column audit.archive_erasures.readings is 'Questions about the person, whose record goes too.';

create table audit.archived_rows (
  archive_id uuid not null references audit.archives (id),
  table_name text not null,
  family_id uuid,
  record text not null,
  salt bytea not null,
  digest bytea not null,
  constraint archived_rows_digest check (octet_length(digest) = 32)
);
create unique index archived_rows_record_idx on audit.archived_rows (table_name, record, archive_id, (coalesce(family_id, '00000000-0000-0000-0000-000000000000')));
create index archived_rows_archive_idx on audit.archived_rows (archive_id);
comment on table audit.archived_rows is
  'Rows whose first events are archived, as a salted hash of what they held then, which is where the log in the database begins for them (lint no_primary_key: a row of no family is told by its unique index).';

create or replace view audit.baselines as
  select distinct on (b.table_name, b.record, b.family_id) b.table_name, b.family_id, b.record, b.salt, b.digest
  from (
    select r.table_name, r.family_id, r.record, r.salt, r.digest, a.dropped_at
    from audit.archived_rows r join audit.archives a on a.id = r.archive_id
    union all
    select u.table_name, u.family_id, u.record, u.salt, u.digest, '-infinity'::timestamptz as dropped_at from audit.unlogged_rows u) b
  order by b.table_name, b.record, b.family_id, b.dropped_at desc;

-- Each is filled in once, step by step.
create function audit.only_complete() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' and (jsonb_strip_nulls(to_jsonb(old)) <@ jsonb_strip_nulls(to_jsonb(new))
    or (tg_table_name = 'archive_objects' and to_jsonb(old) ->> 'kind' = 'personal'
      and to_jsonb(new) - '{key,version,size,sha256}'::text[] = to_jsonb(old) - '{key,version,size,sha256}'::text[]))
  then
    return new;
  end if;
  perform private.fail('NS004', 'what is on record of months that left the log never changes; it is only completed');
  return null;
end $$;
comment on function audit.only_complete() is
  'Lets pass what fills in something that was empty, and another object for personal parts. Nothing else.';
create trigger archives_only_complete before update or delete on audit.archives for each row execute function audit.only_complete();
create trigger archives_no_truncate before truncate on audit.archives execute function private.refuse_truncate();
create trigger archive_objects_only_complete before update or delete on audit.archive_objects for each row execute function audit.only_complete();
create trigger archive_objects_no_truncate before truncate on audit.archive_objects execute function private.refuse_truncate();
create trigger archive_erasures_no_delete before delete on audit.archive_erasures for each row execute function private.refuse_delete();
create trigger archive_erasures_no_truncate before truncate on audit.archive_erasures execute function private.refuse_truncate();
create trigger archived_rows_append_only before update on audit.archived_rows for each row execute function private.refuse_delete();
create trigger archived_rows_no_truncate before truncate on audit.archived_rows execute function private.refuse_truncate();

-- An erasure reaches archives -----------------------------------------------------------------------------------

create function audit.reach_archives() returns trigger
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
comment on function audit.reach_archives() is 'Leaves word of an erasure for every archive, in the transaction that erases.';
create trigger erasures_reach_archives after insert on audit.erasures for each row execute function audit.reach_archives();
create trigger readings_reach_archives after delete on audit.readings for each row execute function audit.reach_archives();

-- Archiving -----------------------------------------------------------------------------------------------------

create function audit.archivist() returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'admin') then
    perform private.fail('NS004', 'the audit log is archived under the duty compliance or admin');
  end if;
end $$;

create function audit.partition_of(kind audit.category, month date) returns regclass
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- Only the first day of a month is one, and none before our era: to_char tells neither.
  select to_regclass(format('audit.%I', 'events_' || kind || to_char(month, '_YYYY_MM')))
  where month >= date '2000-01-01' and extract(day from month) = 1;
end;

create function audit.gone_before(kind audit.category, month date) returns bigint
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(max(a.tree_size), 0) from audit.archives a where a.category = kind and a.month = gone_before.month;
end;
comment on function audit.gone_before(audit.category, date) is 'Up to which size of the tree the leaves of a month are of events that left the database.';

create function audit.open_archive(archive uuid) returns audit.archives
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a audit.archives;
begin
  perform audit.archivist();
  select p.* into a from audit.archives p where p.id = archive for update;
  if not found then
    perform private.fail('NS006', format('there is no archive %s', archive));
  elsif a.dropped_at is not null then
    perform private.fail('NS005', format('the archive %s is finished', archive));
  end if;
  return a;
end $$;

create function audit.begin_archive(kind audit.category, month date, tree_size bigint, place text) returns audit.archives
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part regclass := audit.partition_of(kind, month);
  a audit.archives;
  t audit.tree;
  loose bigint;
begin
  perform audit.archivist();
  if part is null then
    perform private.fail('NS006', format('there is no partition of %s for %s', kind, to_char(month, 'YYYY-MM')));
  elsif (month + interval '1 month') at time zone 'UTC' > clock_timestamp() then
    perform private.fail('NS005', format('%s is not over', to_char(month, 'YYYY-MM')));
  end if;
  select p.* into a from audit.archives p where p.category = kind and p.month = begin_archive.month and p.dropped_at is null;
  if found then
    return a;
  end if;
  perform audit.require_epoch();
  if not exists (select from audit.checkpoints c where c.size = begin_archive.tree_size) then
    perform private.fail('NS005', 'an archive ends at a checkpoint', 'nestctl audit seal');
  end if;
  select p.* into t from audit.tree p;
  execute format('select count(*) from %s e where e.epoch >= $1 and e.xid >= $2', part) into loose using t.first_epoch, t.watermark;
  if loose > 0 then
    perform private.fail('NS005', format('%s events of %s %s are not sealed', loose, kind, to_char(month, 'YYYY-MM')), 'nestctl audit seal');
  end if;
  insert into audit.archives (category, month, tree_from, tree_size, place)
  values (kind, begin_archive.month, audit.gone_before(kind, begin_archive.month),
    begin_archive.tree_size, begin_archive.place)
  returning * into a;
  return a;
end $$;
comment on function audit.begin_archive(audit.category, date, bigint, text) is
  'Begins the archive of a month that is over and sealed wholly, or returns the one that was begun. From here on an erasure reaches it. tree_size: of a checkpoint.';

create function audit.record_archive(archive uuid, facts jsonb, objects jsonb, record text) returns audit.archives
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a audit.archives := audit.open_archive(archive);
begin
  if a.recorded_at is not null then
    perform private.fail('NS005', format('the archive %s is recorded already', archive));
  end if;
  insert into audit.archive_objects (archive_id, kind, number, key, version, size, sha256, events, first_at, last_at)
  select archive, o.kind, o.number, o.key, o.version, o.size, o.sha256, o.events, o.first_at, o.last_at
  from jsonb_to_recordset(objects) o (kind text, number integer, key text, version text, size bigint, sha256 text, events bigint, first_at timestamptz, last_at timestamptz);
  update audit.archives p set events = f.events, first_leaf = f.first_leaf, last_leaf = f.last_leaf, leaves = f.leaves, manifest = f.manifest,
    record = record_archive.record, recorded_at = clock_timestamp(), recorded_by = session_user
  from jsonb_to_record(facts) f (events bigint, first_leaf bigint, last_leaf bigint, leaves text, manifest text)
  where p.id = archive returning p.* into a;
  return a;
end $$;
comment on function audit.record_archive(uuid, jsonb, jsonb, text) is
  'Records what an archive holds, once all of it is in the store. record: the signed record of evidence.';

create function audit.hold_partition(archive uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a audit.archives := audit.open_archive(archive);
begin
  execute format('lock table %s in share mode', audit.partition_of(a.category, a.month));
end $$;
comment on function audit.hold_partition(uuid) is 'Lets nobody change the partition of an archive until the end of the transaction, in which it is compared and dropped.';

create function audit.keep_baseline(source uuid, kept regclass, part regclass, target regclass, wrong jsonb) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set intervalstyle = 'iso_8601' as $$
declare
  label text := (select n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = target);
begin
  execute format($q$
    with touched as (
      select distinct e.family_id, coalesce(e.record_id::text, e.record_key) as record from %3$s e
      where e.table_name = %2$L and coalesce(e.record_id::text, e.record_key) is not null
    ),
    later as (
      select e.family_id, coalesce(e.record_id::text, e.record_key) as record,
        bool_or(e.operation = 'INSERT') as born, audit.folded(audit.image(e.old_row, e.named_columns, e.named_old) order by e.id desc)
          filter (where e.operation = 'UPDATE' and audit.image(e.old_row, e.named_columns, e.named_old) is not null) as before
      from audit.events e where e.table_name = %2$L and e.tableoid <> %4$s
      group by 1, 2
    )
    insert into %7$s
    select %5$L::uuid, %2$L, r.family_id, r.record, s.salt, sha256(s.salt || convert_to((r.image || coalesce(l.before, '{}'))::text, 'UTF8'))
    from (%1$s) r
      join touched t on t.record = r.record and t.family_id is not distinct from r.family_id
      left join later l on l.record = r.record and l.family_id is not distinct from r.family_id
      cross join lateral (select uuid_send(gen_random_uuid()) as salt where r.record is not null) s
    where not coalesce(l.born, false)
      and not exists (select from jsonb_to_recordset(%6$L) x (family_id uuid, record text) where x.record = r.record and x.family_id is not distinct from r.family_id)$q$,
    audit.live_rows(target), label, part, part::oid, source, wrong, kept);
end $$;
comment on function audit.keep_baseline(uuid, regclass, regclass, regclass, jsonb) is
  'Keeps what rows of a table held when the events of a partition end, for audit.coverage; of those that are wrong nothing, so that they stay so.';

create function audit.keep_baselines(source uuid, kept regclass, part regclass) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  target regclass;
  wrong record;
begin
  for target in execute format('select c.table_name from audit.captured_tables c join pg_catalog.pg_class k on k.oid = c.table_name
    join pg_catalog.pg_namespace n on n.oid = k.relnamespace where n.nspname || ''.'' || k.relname in (select distinct e.table_name from %s e)', part)
  loop
    select c.faults, c.named into wrong from audit.coverage(target) c;
    -- Only so many are named, and what is wrong now must not be hidden by where the log begins anew.
    if wrong.faults > jsonb_array_length(wrong.named) then
      perform private.fail('NS005', format('%s rows of %s are not as the log tells', wrong.faults, target), 'nestctl audit coverage');
    end if;
    perform audit.keep_baseline(source, kept, part, target, wrong.named);
  end loop;
end $$;
comment on function audit.keep_baselines(uuid, regclass, regclass) is
  'Keeps in a table of such what the rows of all tables held when the events of a partition end, before it is dropped.';

create function audit.drop_archived(archive uuid) returns audit.archives
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  a audit.archives := audit.open_archive(archive);
  part regclass := audit.partition_of(a.category, a.month);
  t audit.tree;
  held bigint;
  loose bigint;
begin
  if a.recorded_at is null then
    perform private.fail('NS005', format('the archive %s is not recorded', archive));
  elsif exists (select from audit.archive_erasures x where x.archive_id = archive and x.done_at is null) then
    perform private.fail('NS005', format('an erasure has still to reach the archive %s', archive), 'nestctl audit archive');
  end if;
  select p.* into t from audit.tree p;
  execute format('select count(*), count(*) filter (where e.epoch >= $1 and e.xid >= $2) from %s e', part) into held, loose using t.first_epoch, t.watermark;
  if held <> a.events or loose > 0 then
    perform private.fail('NS005', format('the partition has %s events, %s of them not sealed, and %s are archived', held, loose, a.events));
  end if;
  perform audit.keep_baselines(archive, 'audit.archived_rows', part);
  execute format('drop table %s', part);
  update audit.archives p set dropped_at = clock_timestamp(), dropped_by = session_user where p.id = archive returning p.* into a;
  return a;
end $$;
comment on function audit.drop_archived(uuid) is
  'Drops the partition of an archive that is recorded, sealed wholly and reached by every erasure.';

-- Erasing in archives -------------------------------------------------------------------------------------------

create function audit.due_archive_erasures() returns table (
  approval_id uuid, archive_id uuid, recorded boolean, request text, person uuid, families uuid[], names text[], readings uuid[])
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.archivist();
  return query
    select x.approval_id, x.archive_id, a.recorded_at is not null, x.request, (p.plan ->> 'person')::uuid,
      array(select f::uuid from jsonb_array_elements_text(coalesce(p.plan -> 'families', '[]')) f),
      array(select n from jsonb_array_elements_text(coalesce(p.plan -> 'names', '[]')) n), x.readings
    from audit.archive_erasures x join audit.archives a on a.id = x.archive_id join ops.approvals p on p.id = x.approval_id
    where x.done_at is null
    order by a.begun_at, a.id, x.approval_id;
end $$;
comment on function audit.due_archive_erasures() is 'Erasures that have still to reach archives: whom, and what else names them.';

create function audit.replace_personal(archive uuid, number integer, key text, version text, size bigint, sha256 text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.archivist();
  if not exists (select from audit.archive_erasures x where x.archive_id = archive and x.done_at is null) then
    perform private.fail('NS004', 'personal parts in archives change by an erasure alone');
  end if;
  update audit.archive_objects o set key = replace_personal.key, version = replace_personal.version, size = replace_personal.size, sha256 = replace_personal.sha256
  where o.archive_id = archive and o.kind = 'personal' and o.number = replace_personal.number;
  if not found then
    perform private.fail('NS006', format('the archive %s has no personal object %s', archive, number));
  end if;
end $$;
comment on function audit.replace_personal(uuid, integer, text, text, bigint, text) is
  'Says which object holds the personal parts of some events from now on; the one before is destroyed.';

create function audit.finish_archive_erasure(approval uuid, archive uuid, events bigint, parts bigint) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  target regclass;
begin
  perform audit.archivist();
  -- Of a row that is gone there is nothing to compare with, and it may have been the person's.
  for target in select c.table_name from audit.captured_tables c loop
    execute format('delete from audit.archived_rows b using pg_catalog.pg_class c, pg_catalog.pg_namespace n
      where c.oid = %1$L::regclass and n.oid = c.relnamespace and b.table_name = n.nspname || ''.'' || c.relname
        and not exists (select from (%2$s) r where r.record = b.record and r.family_id is not distinct from b.family_id)', target, audit.live_rows(target));
  end loop;
  update audit.archive_erasures x set done_at = clock_timestamp(), done_by = session_user, events = finish_archive_erasure.events, parts = finish_archive_erasure.parts
  where x.approval_id = approval and x.archive_id = archive and x.done_at is null;
  if not found then
    perform private.fail('NS006', format('no erasure has still to reach the archive %s', archive));
  end if;
end $$;
comment on function audit.finish_archive_erasure(uuid, uuid, bigint, bigint) is
  'Records that an erasure has reached an archive: no version of any object of it holds the person''s parts.';

-- Readers -------------------------------------------------------------------------------------------------------

-- Paged before anything is put together: sorted or built for a whole month each time, a month would take the square of its time.
create function audit.archivable_events(category audit.category, until timestamptz, after_at timestamptz, after_id bigint, at_most integer)
  returns table (clear json, erased_hashes json, personal json, leaf bytea)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select json_strip_nulls(json_build_object('epoch', e.epoch, 'xid', e.xid::text, 'occurred_at', ((extract(epoch from e.occurred_at) - 946684800) * 1000000)::bigint::text,
      'operation', e.operation, 'table_name', e.table_name, 'category', e.category, 'session_login', e.session_login, 'duty', e.duty,
      'request_id', e.request_id, 'id', e.id::text, 'named_columns', e.named_columns)),
    array_to_json(e.erased_hashes),
    json_strip_nulls(json_build_object('id', e.id::text, 'salts', e.salts, 'app_user', e.app_user, 'family_id', e.family_id, 'subject_user', e.subject_user,
      'record_id', e.record_id, 'record_key', e.record_key, 'changed_columns', e.changed_columns, 'old_row', e.old_row::text, 'new_row', e.new_row::text,
      'named_old', e.named_old, 'named_new', e.named_new, 'reason', e.reason, 'ticket', e.ticket, 'erased_requests', e.erased_requests)),
    e.leaf
  from (
    select v.* from audit.events v
    where v.category = archivable_events.category and v.occurred_at < archivable_events.until
      and (v.occurred_at, v.id) > (archivable_events.after_at, archivable_events.after_id)
    order by v.occurred_at, v.id limit archivable_events.at_most) e
  where (select private.session_duty()) in ('compliance', 'admin')
  order by e.occurred_at, e.id;
end;
comment on function audit.archivable_events(audit.category, timestamptz, timestamptz, bigint, integer) is
  'The next events of a category after one of them, as they are archived: in clear what stands so under the leaf, and apart from it what belongs to people, with its salts.';

do $$
declare
  name text;
begin
  foreach name in array '{archives,archive_objects,archive_erasures,archived_rows}'::text[] loop
    execute format('alter table audit.%I enable row level security', name);
    execute format('alter table audit.%I force row level security', name);
    execute format('create policy %I on audit.%I to current_user using (true) with check (true)', name || '_owner_all', name);
    if name <> 'archived_rows' then
      -- Who reads no payload in the log is not told where it lies in the store.
      execute format('create policy %I on audit.%I for select to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin using (%s)',
        name || '_staff_select', name, case name when 'archive_objects'
          then '(select private.session_duty()) in (''compliance'', ''auditor'', ''admin'') or (kind <> ''personal'' and (select private.session_duty()) = ''sre'')'
          else '(select private.session_duty()) is not null' end);
      execute format('grant select on audit.%I to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin', name);
    end if;
  end loop;
end $$;
comment on policy archive_objects_staff_select on audit.archive_objects is
  'Personal objects are not shown to who reads no payload (lint policy_without_index: they are asked for by archive, and half of them are personal).';
select audit.attach('audit.archives', 'modification');
select audit.attach('audit.archive_erasures', 'modification', record => null);

-- Any duty may know which months an answer lacks: a month is about nobody.
create function audit.archived_months(since timestamptz, until timestamptz) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(array_agg(distinct m.name order by m.name), '{}') from (
    select a.category || ' ' || to_char(a.month, 'YYYY-MM') as name from audit.archives a
    where a.dropped_at is not null and (select private.session_duty()) is not null
      and (until is null or a.month < until at time zone 'UTC') and (since is null or a.month + interval '1 month' > since at time zone 'UTC')) m;
end;
comment on function audit.archived_months(timestamptz, timestamptz) is 'Which months (category and month) of a span are archived, and no longer in audit.events; null: open on that side.';

revoke execute on all functions in schema audit from public;
grant execute on function audit.archived_months(timestamptz, timestamptz) to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.archivable_events(audit.category, timestamptz, timestamptz, bigint, integer), audit.begin_archive(audit.category, date, bigint, text), audit.record_archive(uuid, jsonb, jsonb, text), audit.hold_partition(uuid),
  audit.drop_archived(uuid), audit.due_archive_erasures(), audit.replace_personal(uuid, integer, text, text, bigint, text),
  audit.finish_archive_erasure(uuid, uuid, bigint, bigint)
  to nestsync_compliance, nestsync_admin;
