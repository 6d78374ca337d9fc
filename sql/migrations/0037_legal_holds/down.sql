select privacy.undeclare('privacy.legal_holds');
delete from ops.duty_permissions where resource = 'legal holds';
delete from audit.captured_tables where table_name = 'privacy.legal_holds'::regclass;
drop function ops.holds_to_review();
drop function privacy.keep_hold(text, date);
drop function privacy.release_hold(text);
drop function private.lock_hold(text);
drop function privacy.place_hold(uuid, uuid, uuid, text, text, text, date);
create or replace function audit.retention_hold(kind audit.category, month date) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  ends constant timestamptz := (retention_hold.month + interval '1 month') at time zone 'UTC';
  begins constant timestamptz := retention_hold.month::timestamp at time zone 'UTC';
  moved boolean;
  h record;
begin
  if exists (select from audit.archives a where a.category = kind and a.month = retention_hold.month and a.dropped_at is null) then
    return 'it is being archived: nestctl audit archive';
  end if;
  moved := exists (select from audit.archives a where a.category = kind and a.month = retention_hold.month);
  for h in select s.number, s.user_id, s.family_id from private.held_subjects() s order by s.number loop
    -- Whose events an archive holds is not known here: then all of whoever was there by that time are kept.
    if exists (select from audit.events e
        where e.category = kind and e.occurred_at >= begins and e.occurred_at < ends
          and (e.app_user = h.user_id or e.subject_user = h.user_id or e.family_id = h.family_id))
      or moved and (exists (select from public.users u where u.id = h.user_id and u.created_at < ends)
        or exists (select from public.families f where f.id = h.family_id and f.created_at < ends))
    then
      return format('request %s holds it (PIPEDA s. 8(8)): nestctl request show %s', h.number, h.number);
    end if;
  end loop;
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
  order by h.until desc nulls first limit 1;
  if found then
    perform private.fail('NS005', format('request %s holds what would be erased%s: it can still be complained of (PIPEDA s. 8(8))', held.number,
      coalesce(format(' until %s', held.until), '')), format('nestctl request show %s', held.number));
  end if;
  return new;
end $$;
comment on function private.refuse_held_erasure() is 'Nothing is erased that somebody asked for and can still complain about.';
create or replace function privacy.holds(person uuid, families uuid[] default '{}') returns table (number text, why text, until date)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'auditor', 'admin') then
    perform private.fail('NS004', 'what holds the data of a person is asked under the duty compliance, auditor or admin');
  end if;
  return query select h.number, h.why, h.until from private.held_subjects() h where h.user_id = person or h.family_id = any (families)
  order by h.number, h.until desc nulls first;
end $$;
comment on function privacy.holds(uuid, uuid[]) is 'The requests that hold the data of a person, or of families that would go with them: nothing of it is destroyed until then.';
create or replace function private.held_subjects()
  returns table (number text, why text, until date, user_id uuid, child_id uuid, family_id uuid, email text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select r.number, h.why, h.until,
    coalesce(r.user_id, (select u.id from public.users u where lower(u.email) = lower(r.email))),
    coalesce(r.child_id, p.child_id), coalesce(c.family_id, p.family_id), r.email
  from privacy.requests r cross join lateral privacy.request_holds(r) h
    left join public.emergency_profiles p on p.id = r.contact_id
    left join public.children c on c.id = r.child_id;
end;
comment on function private.held_subjects() is 'Everybody whose data a request or a complaint holds; by their account, or the child and family that hold their rows.';
drop function private.look_at_hold(text);
drop function private.held_by(text, text);
drop table privacy.legal_holds;
drop function private.guard_legal_hold();
drop function audit.capture_privacy_legal_holds();
