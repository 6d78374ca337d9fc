select privacy.undeclare('privacy.erasures'), privacy.undeclare('privacy.erasure_outside'), privacy.undeclare('privacy.erasure_identifiers'), privacy.undeclare('privacy.erasure_steps'), privacy.undeclare('privacy.erasure_batches');
delete from ops.duty_permissions where resource = 'erasures';
delete from audit.captured_tables where table_name in ('privacy.erasures'::regclass, 'privacy.erasure_batches'::regclass, 'privacy.erasure_outside'::regclass);
drop trigger archives_reached on audit.archives;
drop function private.reach_new_archive();
drop function private.find_residue(privacy.erasures);
drop function private.residue_in_statistics(privacy.erasures);
drop function private.is_word(text, text);
drop function private.searched_columns(oid);
drop function private.sought(uuid);
drop function private.spellings(text, text);
drop function privacy.erase_batch(text, integer);
drop function private.hold_on(uuid, uuid[], boolean, text);
drop function privacy.record_ledger(text, text);
drop function private.require_ledger(privacy.erasures, text);
drop function private.ledger_statement(text);
drop function privacy.erasure_ledger(text);
drop function private.ledger_identifiers(privacy.erasures);
drop function private.ledger_facts(privacy.erasures);
drop function privacy.begin_erasure(text);
drop function private.start_batches(privacy.erasures);
drop function private.require_ready(privacy.erasures);
drop function private.next_batch(privacy.erasures, integer);
drop function private.late_steps(privacy.erasures);
drop function private.erase_events(privacy.erasures, jsonb, integer);
drop function private.do_step(privacy.erasures, privacy.erasure_steps, integer);
drop function private.not_yet(privacy.erasure_steps);
drop function private.settings_of(privacy.erasure_steps);
drop function private.step_rows(privacy.erasures, privacy.erasure_steps);
drop function private.lay_steps(privacy.erasures);
drop function private.key_depth();
drop function privacy.cancel_erasure(text);
drop function private.lock_erasure(text);
drop function privacy.schedule_erasure(text, text);
drop function private.require_clear(jsonb);
drop function privacy.erasure_approvable(text, text);
drop function private.person_identifiers(uuid, uuid[]);
create or replace function privacy.plan_erasure(number text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  fates jsonb;
  going uuid[];
  kin uuid[];
  plan jsonb;
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'what erasing a person would do is the business of the duty compliance');
  end if;
  select q.* into r from privacy.requests q where q.number = plan_erasure.number;
  if not found then
    perform private.fail('NS006', format('there is no request %s', plan_erasure.number), 'nestctl request list --all');
  elsif r.kind not in ('deletion', 'consent_withdrawal') or r.user_id is null then
    perform private.fail('NS005', format('request %s asks for no erasure of an account', r.number), format('nestctl request show %s', r.number));
  elsif not coalesce(r.user_id = any (private.subject_users()), false) then
    perform private.fail('NS002', 'no live access grant of yours is for this person', format('nestctl access open --user %s --reason "…" --ticket …', r.user_id));
  end if;
  select coalesce(jsonb_agg(to_jsonb(f) order by f.family_id), '[]'), coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate = 'goes'), '{}'),
    coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate <> 'goes'), '{}')
  into fates, going, kin from private.erasure_fates(r.user_id) f;
  plan := jsonb_build_object('request', r.number, 'person', r.user_id, 'families', fates, 'catalogue', private.catalogue_digest(),
    'steps', (
      select coalesce(jsonb_agg(s.step order by t.table_name, s.at), '[]') from (
        select distinct a.table_name from privacy.column_answers a
        where a.whose <> 'operational' and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
        cross join lateral jsonb_array_elements(private.plan_table(t.table_name, r.user_id, going, kin)) with ordinality s (step, at)),
    'outside', (
      select coalesce(jsonb_agg(jsonb_build_object('recipient', x.recipient, 'about', x.about, 'columns', x.columns) order by x.recipient), '[]') from (
        select p.recipient, p.about, jsonb_agg(c.table_name || '.' || c.column_name order by c.table_name, c.column_name) as columns
        from privacy.recipients p join privacy.recipient_columns c using (recipient)
        where private.has_value(c.table_name, c.column_name, r.user_id) group by p.recipient, p.about) x));
  -- What staff does about the request leaves records of its own, and what stays is nobody's to count.
  return plan || jsonb_build_object('gates', private.erasure_gates(r, going), 'hash', encode(sha256(convert_to((plan || jsonb_build_object('steps', (
    select coalesce(jsonb_agg(x.step order by x.at), '[]') from jsonb_array_elements(plan -> 'steps') with ordinality x (step, at)
    where x.step ->> 'does' is distinct from 'stay' and x.step ->> 'table' !~ '^(audit|ops|privacy)\.')))::text, 'UTF8')), 'hex'));
end $$;
drop function private.make_erasure_plan(privacy.requests);
drop function private.plan_digest(jsonb);
drop function private.plan_outside(uuid);
drop function private.plan_steps(uuid, uuid[], uuid[]);
create or replace function audit.due_archive_erasures() returns table (
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
create or replace function audit.stamp_erasure() returns trigger
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
create or replace function private.refuse_key_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS005', format('the key of a row of %I never changes, nor does its author', tg_table_name),
    'Insert the row under the new key and delete the old one.');
  return null;
end $$;
create or replace function private.refuse_held_erasure() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held record;
begin
  select h.number, h.why, h.until into held
  from ops.approvals a, private.held_subjects() h
  where a.id = new.approval_id and (h.user_id = (a.plan ->> 'person')::uuid
    or h.family_id in (select f::uuid from jsonb_array_elements_text(coalesce(a.plan -> 'families', '[]')) f))
  order by h.why = 'legal_hold' desc, h.until desc nulls first limit 1;
  if found then
    perform private.fail('NS005', private.held_by(held.number, 'what would be erased') || case held.why when 'legal_hold' then ''
      else format('%s: it can still be complained of (PIPEDA s. 8(8))', coalesce(format(' until %s', held.until), '')) end, private.look_at_hold(held.number));
  end if;
  return new;
end $$;
create or replace function private.keep_core_member() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (old.role = 'family_core' and old.status = 'active')
    or not exists (select from public.families f where f.id = old.family_id)
    or not exists (select from public.children c where c.family_id = old.family_id and c.deleted_at is null) then
    return null;
  end if;
  -- Locked, so that two core members who remove each other at once cannot both believe that the other stays. One
  -- without an end must not be replaced by one whose end is set.
  perform from public.family_members m
  where m.family_id = old.family_id and m.role = 'family_core' and m.status = 'active'
    and (m.access_expires_at is null or (old.access_expires_at is not null and m.access_expires_at > now()))
  limit 1 for share;
  if not found then
    perform private.fail('NS005', 'a family with children never loses its last family_core member',
      'Give the role to another member first: nestctl member transfer --family … --from … --to …');
  end if;
  return null;
end $$;
do $$
declare
  g record;
begin
  for g in select t.tgrelid::regclass as name from pg_catalog.pg_trigger t where t.tgname = 'erased_by_map' loop
    execute format('drop trigger erased_by_map on %s', g.name);
  end loop;
  for g in select t.oid from pg_catalog.pg_trigger t where pg_get_triggerdef(t.oid) ~ 'WHEN \(\(NOT private\.erasing\(\)\)\)' loop
    execute replace(replace(pg_get_triggerdef(g.oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), ' WHEN ((NOT private.erasing()))', '');
  end loop;
end $$;
drop function private.erase_by_map();
drop function private.beyond_map(text, jsonb, jsonb);
drop function private.erasing();
drop table privacy.erasure_identifiers, privacy.erasure_outside, privacy.erasure_batches, privacy.erasure_steps, privacy.erasures;
drop function private.guard_erasure();
drop function audit.capture_privacy_erasures();
drop function audit.capture_privacy_erasure_batches();
drop function audit.capture_privacy_erasure_outside();
