-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nobody ever asked the audit log anything
-- seeds: audit.captured_tables

-- Questions asked of the log ----------------------------------------------------------------------------------

create table audit.readings (
  id uuid primary key default gen_random_uuid(),
  operator text not null default session_user,
  duty text not null,
  kind text not null,
  question jsonb not null default '{}',
  family_id uuid,
  user_id uuid,
  asked_at timestamptz not null default clock_timestamp(),
  constraint readings_duty check (duty in ('support', 'compliance', 'sre', 'auditor', 'admin')),
  constraint readings_kind check (kind in ('query', 'show', 'group', 'history', 'blame', 'stats', 'follow', 'export', 'archive')),
  constraint readings_question check (jsonb_typeof(question) = 'object' and octet_length(question::text) <= 16384)
);
comment on table audit.readings is
  'Every question that an operator asked of the audit log, with its filter. What it says of people is in the audit log under a salted hash, and is erased with them.';
comment on column audit.readings.family_id is 'The family that was asked about, if one.';
comment on column audit.readings.user_id is 'The person who was asked about, if one.';
create index readings_operator_idx on audit.readings (operator, asked_at desc);
create index readings_family_idx on audit.readings (family_id, asked_at desc) where family_id is not null;
create index readings_user_idx on audit.readings (user_id, asked_at desc) where user_id is not null;

create function audit.stamp_reading() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.operator := session_user;
  new.asked_at := clock_timestamp();
  return new;
end $$;
create trigger readings_stamp before insert on audit.readings for each row execute function audit.stamp_reading();
create trigger readings_append_only before update on audit.readings
  for each row execute function private.refuse_delete();
create trigger readings_no_truncate before truncate on audit.readings execute function private.refuse_truncate();

alter table audit.readings enable row level security;
alter table audit.readings force row level security;
create policy readings_owner_all on audit.readings to current_user using (true) with check (true);
create policy readings_staff_select on audit.readings for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('compliance', 'auditor', 'admin'));
grant select on audit.readings to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
select audit.attach('audit.readings', 'access', family => 'family_id', person => 'user_id');

create function audit.record_reading(kind text, question jsonb, family_id uuid default null, user_id uuid default null, goes_on boolean default false)
  returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_duty text := private.session_duty();
  v_reason text := current_setting('nestsync.reason', true);
  v_ticket text := current_setting('nestsync.ticket', true);
  lent ops.access_grants;
  v_id uuid;
begin
  if v_duty is null then
    perform private.fail('NS004', 'this session has taken no duty that its operator holds', 'Take one with --duty; see: nestctl doctor');
  end if;
  -- Turning a page is part of the question that was recorded.
  if goes_on then
    select r.id into v_id from audit.readings r
    where r.operator = session_user and r.duty = v_duty and r.kind = record_reading.kind and r.question = record_reading.question
      and r.asked_at > clock_timestamp() - interval '1 day'
    order by r.asked_at desc limit 1;
    if found then
      return v_id;
    end if;
  end if;
  -- Reading what a duty reads without a grant takes no reason of its own. It is said for this one row, and for nothing
  -- else in the transaction.
  if btrim(coalesce(v_reason, '')) = '' then
    lent := audit.lent_grant(v_duty, null, false);
    perform set_config('nestsync.reason', coalesce(lent.reason, 'reading the audit log'), true),
      set_config('nestsync.ticket', coalesce(lent.ticket, v_ticket, ''), true);
  end if;
  insert into audit.readings as r (duty, kind, question, family_id, user_id)
  values (v_duty, record_reading.kind, coalesce(record_reading.question, '{}'), record_reading.family_id, record_reading.user_id)
  returning r.id into v_id;
  perform set_config('nestsync.reason', coalesce(v_reason, ''), true), set_config('nestsync.ticket', coalesce(v_ticket, ''), true);
  return v_id;
end $$;
comment on function audit.record_reading(text, jsonb, uuid, uuid, boolean) is
  'Records that the operator behind this session asks the audit log something, and commits with it. goes_on: another page of a question that may be recorded already.';

-- Following the log -------------------------------------------------------------------------------------------

-- In the order of transactions nothing is skipped: below the oldest one that is still open, all are over. An index in
-- that order would cost every writer; so whoever reads on remembers where numbers stood when a transaction had yet to
-- begin, as the sealer does.
create function audit.log_mark(out epoch integer, out first_epoch integer, out below xid8, out next xid8, out last_id bigint, out floor bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  two_32 constant numeric := 4294967296;
  e audit.epochs;
  v_system text := (select c.system_identifier::text from pg_control_system() c);
  v_timeline integer;
begin
  -- There a sequence is ahead of what was drawn from it.
  if pg_is_in_recovery() then
    perform private.fail('NS005', 'where the log stands is asked of the primary');
  end if;
  -- The control file names a new timeline only after the first checkpoint that follows a promotion.
  v_timeline := ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer;
  if private.session_duty() is null then
    perform private.fail('NS004', 'this session has taken no duty that its operator holds', 'Take one with --duty; see: nestctl doctor');
  end if;
  -- age() counts from the id of its own transaction, or from what it said before in the same one.
  if now() <> statement_timestamp() or pg_current_xact_id_if_assigned() is not null then
    perform private.fail('NS005', 'where the log stands is told by a statement that is a transaction of its own');
  end if;
  select p.* into e from audit.epochs p order by p.epoch desc limit 1;
  if (e.system_identifier, e.timeline) is distinct from (v_system, v_timeline) then
    perform private.fail('NS005', format('this is timeline %s of cluster %s, and the audit log knows timeline %s of cluster %s',
      v_timeline, v_system, e.timeline, e.system_identifier), 'nestctl audit epoch begin');
  end if;
  epoch := e.epoch;
  -- In this order: a transaction that gets its id later than the next one was read writes above the number read before.
  select s.last_value into last_id from audit.events_id_seq s;
  -- A snapshot ends with what has been completed; behind it transactions may be at work already. age() counts from the
  -- next id to be given, in 32 bits.
  select pg_snapshot_xmin(s), (m.done + ((a.given - m.done % two_32) % two_32 + two_32) % two_32)::text::xid8 into below, next
  from pg_current_snapshot() s, (select age('3'::xid)::bigint + 3) a (given),
    lateral (select pg_snapshot_xmax(s)::text::numeric) m (done);
  select t.first_epoch, coalesce((select max(m.last_id) from audit.seal_marks m where m.first_epoch = t.first_epoch and m.next_xid <= below), 0)
  into first_epoch, floor from audit.tree t;
end $$;
comment on function audit.log_mark() is
  'Where the log stands: all transactions below are over; those from next on have yet to begin, and will write above last_id; those from below on have written nothing up to floor. Transaction ids run on since first_epoch.';

-- Erasing a person --------------------------------------------------------------------------------------------

create table audit.erasures (
  approval_id uuid primary key references ops.approvals (id),
  request text not null,
  erased_at timestamptz not null default clock_timestamp(),
  erased_by text not null default session_user,
  erased_xid xid8 not null default pg_current_xact_id(),
  events bigint not null default 0,
  parts bigint not null default 0,
  constraint erasures_counts check (events >= 0 and parts >= events)
);
comment on table audit.erasures is
  'What was erased from the audit log under which request and approval. Which parts of which events they were is in the events: erased_requests.';

create function audit.stamp_erasure() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    new.erased_at := clock_timestamp();
    new.erased_by := session_user;
    new.erased_xid := pg_current_xact_id();
    if not exists (select from ops.approvals a
      where a.id = new.approval_id and a.action = 'erasure' and a.used_xid = new.erased_xid and a.requested_by = session_user)
    then
      perform private.fail('NS008', 'an erasure follows its approval, in the transaction that uses it up');
    end if;
    return new;
  end if;
  if old.erased_xid <> pg_current_xact_id() or to_jsonb(new) - '{events,parts}'::text[] <> to_jsonb(old) - '{events,parts}'::text[] then
    perform private.fail('NS005', 'the record of an erasure never changes');
  end if;
  return new;
end $$;
create trigger erasures_stamp before insert or update on audit.erasures for each row execute function audit.stamp_erasure();
create trigger erasures_no_delete before delete on audit.erasures for each row execute function private.refuse_delete();
create trigger erasures_no_truncate before truncate on audit.erasures execute function private.refuse_truncate();
alter table audit.erasures enable row level security;
alter table audit.erasures force row level security;
create policy erasures_owner_all on audit.erasures to current_user using (true) with check (true);
create policy erasures_staff_select on audit.erasures for select to nestsync_compliance, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select on audit.erasures to nestsync_compliance, nestsync_auditor, nestsync_admin;
select audit.attach('audit.erasures', 'modification', record => null);

create function audit.keep_reading() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from audit.erasures e where e.erased_xid = pg_current_xact_id()) then
    return old;
  end if;
  perform private.fail('NS004', 'what was asked of the audit log is a record and is never deleted',
    'What it says of a person goes with an approved erasure.');
  return null;
end $$;
create trigger readings_no_delete before delete on audit.readings for each row execute function audit.keep_reading();

create function audit.parts_about(e audit.events, person uuid, families uuid[], names text[]) returns integer[]
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return array(
    select 1 where e.app_user = person
    union all
    select 2 where e.subject_user = person or e.family_id = any (families)
    union all
    select 3 + k from generate_series(1, cardinality(e.named_columns)) k
    where e.family_id = any (families) or e.named_old[k] = person::text or e.named_new[k] = person::text
      or e.named_old[k] = any (names) or e.named_new[k] = any (names)
    order by 1);
comment on function audit.parts_about(audit.events, uuid, uuid[], text[]) is
  'The parts of an event that are about a person, or of a family that is erased as a whole: 1 what they did, 2 their rows, 4 and up where a column names them.';

create function audit.erase_subject(approval uuid) returns audit.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  a ops.approvals;
  v_person uuid;
  v_families uuid[];
  v_names text[];
  asked uuid[];
  e audit.events;
  parts integer[];
  part integer;
  done audit.erasures;
begin
  select p.* into a from ops.approvals p
  where p.id = approval and p.action = 'erasure' and p.requested_by = session_user and p.used_xid = pg_current_xact_id();
  if not found then
    perform private.fail('NS008', 'nobody is erased from the audit log without an approval that this very transaction uses up',
      'First ops.use_approval(''erasure'', plan), then this, in one transaction.');
  end if;
  v_person := (a.plan ->> 'person')::uuid;
  v_families := array(select f::uuid from jsonb_array_elements_text(coalesce(a.plan -> 'families', '[]')) f);
  v_names := array(select n from jsonb_array_elements_text(coalesce(a.plan -> 'names', '[]')) n);
  if v_person is null or btrim(coalesce(a.plan ->> 'request', '')) = '' then
    perform private.fail('NS007', 'the plan of an erasure names a person and a request');
  end if;
  insert into audit.erasures (approval_id, request) values (a.id, a.plan ->> 'request');

  -- Questions about them first: that they are gone is an event too, and is erased with the others.
  with gone as (
    delete from audit.readings r
    where r.user_id = v_person or r.family_id = any (v_families) or strpos(r.question::text, v_person::text) > 0
      or exists (select from unnest(v_families) f where strpos(r.question::text, f::text) > 0)
    returning r.id
  )
  select array_agg(g.id) into asked from gone g;

  done.events := 0;
  done.parts := 0;
  for e in
    select v.* from audit.events v
    where v.app_user = v_person or v.subject_user = v_person or v.family_id = any (v_families)
      or (v.table_name = 'audit.readings' and v.record_id = any (asked))
      or (v.named_columns is not null and (v.named_old && (v_names || v_person::text) or v.named_new && (v_names || v_person::text)))
    order by v.occurred_at, v.id
    for update
  loop
    parts := audit.parts_about(e, v_person, v_families, v_names);
    if e.table_name = 'audit.readings' and e.record_id = any (asked) then
      parts := array(select distinct unnest(parts || 2) order by 1);
    end if;
    foreach part in array parts loop
      if e.salts[part] is not null then
        e := audit.without_part(e, part, a.plan ->> 'request');
        done.parts := done.parts + 1;
      end if;
    end loop;
    if a.plan ->> 'request' = any (e.erased_requests) then
      update audit.events v set
        app_user = e.app_user, family_id = e.family_id, subject_user = e.subject_user, record_id = e.record_id, record_key = e.record_key,
        changed_columns = e.changed_columns, old_row = e.old_row, new_row = e.new_row, named_old = e.named_old, named_new = e.named_new,
        reason = e.reason, ticket = e.ticket, salts = e.salts, erased_hashes = e.erased_hashes, erased_requests = e.erased_requests
      where v.id = e.id and v.occurred_at = e.occurred_at and v.category = e.category;
      done.events := done.events + 1;
    end if;
  end loop;
  update audit.erasures d set events = done.events, parts = done.parts where d.approval_id = a.id returning d.* into done;
  return done;
end $$;
comment on function audit.erase_subject(uuid) is
  'Erases a person from the audit log: what they did, their rows, and where columns name them; of families that the plan names, all. Skeletons and hashes stay, and each erased part names the request. Needs a second operator''s approval of a plan {"request", "person", "families": [], "names": []}, used up by the same transaction.';

revoke execute on all functions in schema audit from public;
grant execute on function audit.record_reading(text, jsonb, uuid, uuid, boolean), audit.log_mark()
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function audit.erase_subject(uuid) to nestsync_compliance;
