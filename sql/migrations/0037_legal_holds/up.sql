-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no hold was ever placed
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- Legal holds: what must be preserved for a proceeding, whoever asks for its erasure and whatever its retention. ---------------

create table privacy.legal_holds (
  id uuid primary key default gen_random_uuid(),
  number text not null unique,
  user_id uuid,
  family_id uuid,
  child_id uuid,
  basis text not null,
  matter text not null,
  reference text,
  review_on date not null,
  placed_at timestamptz not null default clock_timestamp(),
  placed_by text not null default session_user references ops.operators (login),
  reason text,
  ticket text,
  released_at timestamptz,
  released_by text references ops.operators (login),
  release_reason text,
  release_ticket text,
  constraint legal_holds_number check (number ~ '^HOLD-[0-9]{4}-[0-9]{4,}$'),
  constraint legal_holds_subject check (num_nonnulls(user_id, family_id, child_id) = 1),
  constraint legal_holds_basis check (basis in ('litigation', 'order', 'investigation', 'audit')),
  constraint legal_holds_matter check (char_length(btrim(matter)) > 0),
  constraint legal_holds_review check (review_on > (placed_at at time zone 'UTC')::date and review_on <= ((placed_at at time zone 'UTC')::date + 366)),
  constraint legal_holds_released check (num_nonnulls(released_at, released_by) in (0, 2) and released_at >= placed_at
    and (released_at is not null or num_nonnulls(release_reason, release_ticket) = 0))
);
create index legal_holds_user_idx on privacy.legal_holds (user_id) where user_id is not null;
create index legal_holds_family_idx on privacy.legal_holds (family_id) where family_id is not null;
create index legal_holds_child_idx on privacy.legal_holds (child_id) where child_id is not null;
create index legal_holds_placed_by_idx on privacy.legal_holds (placed_by);
create index legal_holds_released_by_idx on privacy.legal_holds (released_by) where released_by is not null;
comment on table privacy.legal_holds is
  'What must be preserved for a proceeding: while a hold stands, nothing of its person, family or child is erased, and no month of the audit log that holds events of them is pruned.';
comment on column privacy.legal_holds.child_id is 'Holds the family in which the child is: rows about a child name its parents too.';
comment on column privacy.legal_holds.basis is
  'litigation: pending or to be expected; order: of a court, or a demand to preserve; investigation: of a regulator or the police; audit: of books and records.';
comment on column privacy.legal_holds.reference is 'The number of the file there.';
comment on column privacy.legal_holds.review_on is 'When somebody has to say whether it is still needed, a year later at the most: it never ends by itself.';

create trigger legal_holds_no_delete before delete on privacy.legal_holds for each row execute function private.refuse_delete();
create trigger legal_holds_no_truncate before truncate on privacy.legal_holds execute function private.refuse_truncate();

create function private.guard_legal_hold() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  words constant text[] := '{reference,reason,ticket}';
  releasing constant text[] := '{released_at,released_by,release_reason,release_ticket}';
  was constant jsonb := to_jsonb(old);
  becomes constant jsonb := to_jsonb(new);
begin
  -- The matter may name people: with the erasure of one of them it becomes a word that names nobody.
  if becomes - words - releasing - '{matter,review_on}'::text[] <> was - words - releasing - '{matter,review_on}'::text[]
    or not private.only_taken_out(was, becomes, words)
    or (new.matter <> old.matter and new.matter <> 'erased on request')
    or (old.released_at is not null and (becomes - words - '{matter,release_reason,release_ticket}'::text[] <> was - words - '{matter,release_reason,release_ticket}'::text[]
      or not private.only_taken_out(was, becomes, '{release_reason,release_ticket}')))
  then
    perform private.fail('NS005', format('what hold %s is about never changes, and it is released once', old.number));
  end if;
  return new;
end $$;
create trigger legal_holds_guard before update on privacy.legal_holds for each row execute function private.guard_legal_hold();

-- What is held, by requests and complaints and by these ---------------------------------------------------------------------------

create or replace function private.held_subjects()
  returns table (number text, why text, until date, user_id uuid, child_id uuid, family_id uuid, email text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select r.number, h.why, h.until,
    coalesce(r.user_id, (select u.id from public.users u where lower(u.email) = lower(r.email))),
    coalesce(r.child_id, p.child_id), coalesce(c.family_id, p.family_id), r.email
  from privacy.requests r cross join lateral privacy.request_holds(r) h
    left join public.emergency_profiles p on p.id = r.contact_id
    left join public.children c on c.id = r.child_id
  union all
  -- Whoever is, or was, in a held family: what they entered there names them, and would be changed with their erasure.
  select h.number, 'legal_hold', null, coalesce(h.user_id, m.user_id), h.child_id, f.id, null
  from privacy.legal_holds h
    left join public.children c on c.id = h.child_id
    left join public.families f on f.id = coalesce(h.family_id, c.family_id)
    left join public.family_members m on m.family_id = f.id
  where h.released_at is null;
end;
comment on function private.held_subjects() is 'Everybody whose data a request, a complaint or a legal hold preserves; by their account, or the child and family that hold their rows.';

create or replace function privacy.holds(person uuid, families uuid[] default '{}') returns table (number text, why text, until date)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'auditor', 'admin') then
    perform private.fail('NS004', 'what holds the data of a person is asked under the duty compliance, auditor or admin');
  end if;
  return query select distinct h.number, h.why, h.until from private.held_subjects() h where h.user_id = person or h.family_id = any (families)
  order by h.number, h.until desc nulls first;
end $$;
comment on function privacy.holds(uuid, uuid[]) is 'The requests and legal holds that preserve the data of a person, or of families that would go with them: nothing of it is destroyed until then.';

create function private.held_by(number text, what text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return case when number ^@ 'HOLD-' then format('legal hold %s preserves %s', number, what) else format('request %s holds %s', number, what) end;
comment on function private.held_by(text, text) is 'Why something is not destroyed, in words.';

create function private.look_at_hold(number text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return case when number ^@ 'HOLD-' then format('nestctl hold show %s', number) else format('nestctl request show %s', number) end;
comment on function private.look_at_hold(text) is 'The command that shows what preserves something.';

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
comment on function private.refuse_held_erasure() is 'Nothing is erased that a proceeding needs, or that somebody asked for and can still complain about.';

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
  for h in select s.number, s.why, s.user_id, s.family_id from private.held_subjects() s order by s.number loop
    -- Whose events an archive holds is not known here: then all of whoever was there by that time are kept.
    if exists (select from audit.events e
        where e.category = kind and e.occurred_at >= begins and e.occurred_at < ends
          and (e.app_user = h.user_id or e.subject_user = h.user_id or e.family_id = h.family_id))
      or moved and (exists (select from public.users u where u.id = h.user_id and u.created_at < ends)
        or exists (select from public.families f where f.id = h.family_id and f.created_at < ends))
    then
      return format('%s%s: %s', private.held_by(h.number, 'it'), case when h.why <> 'legal_hold' then ' (PIPEDA s. 8(8))' end, private.look_at_hold(h.number));
    end if;
  end loop;
  return null;
end $$;

-- Operations --------------------------------------------------------------------------------------------------------------------

create function privacy.place_hold(user_id uuid, family_id uuid, child_id uuid, basis text, matter text, reference text, review_on date) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  year constant text := to_char(clock_timestamp() at time zone 'UTC', 'YYYY');
  the_number text;
begin
  perform private.require_request_duty();
  if num_nonnulls(user_id, family_id, child_id) <> 1 then
    perform private.fail('NS007', 'a hold is on an account, on a family or on a child');
  end if;
  -- Of whom nothing is held, nothing is preserved: whoever mistypes an id would rely on a hold of nobody.
  if user_id is not null and not exists (select from public.users u where u.id = place_hold.user_id)
    or family_id is not null and not exists (select from public.families f where f.id = place_hold.family_id)
    or child_id is not null and not exists (select from public.children c where c.id = place_hold.child_id)
  then
    perform private.fail('NS006', 'whom it is on is not there', 'nestctl family list');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('nestsync legal holds', 0));
  select format('HOLD-%s-%s', year, lpad(n::text, greatest(4, char_length(n::text)), '0')) into the_number
  from (select coalesce(max(substr(h.number, 11)::bigint), 0) + 1 as n from privacy.legal_holds h where h.number ^@ ('HOLD-' || year || '-')) following;
  insert into privacy.legal_holds (number, user_id, family_id, child_id, basis, matter, reference, review_on, reason, ticket)
  values (the_number, user_id, family_id, child_id, basis, btrim(matter), nullif(btrim(reference), ''), review_on,
    btrim(current_setting('nestsync.reason', true)), nullif(btrim(current_setting('nestsync.ticket', true)), ''));
  return the_number;
end $$;
comment on function privacy.place_hold(uuid, uuid, uuid, text, text, text, date) is
  'Preserves everything of an account, a family, or the family of a child, and returns the number of the hold. Holds do not exclude one another: each stands until it is released.';

create function private.lock_hold(number text) returns privacy.legal_holds
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  h privacy.legal_holds;
begin
  perform private.require_request_duty();
  select x.* into h from privacy.legal_holds x where x.number = lock_hold.number for update;
  if not found then
    perform private.fail('NS006', format('there is no hold %s', number), 'nestctl hold list --all');
  elsif h.released_at is not null then
    perform private.fail('NS005', format('hold %s was released on %s', h.number, (h.released_at at time zone 'UTC')::date), 'nestctl hold list --all');
  end if;
  return h;
end $$;

create function privacy.release_hold(number text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  h constant privacy.legal_holds := private.lock_hold(number);
begin
  update privacy.legal_holds x set released_at = clock_timestamp(), released_by = session_user, release_reason = btrim(current_setting('nestsync.reason', true)),
    release_ticket = nullif(btrim(current_setting('nestsync.ticket', true)), '')
  where x.id = h.id;
end $$;
comment on function privacy.release_hold(text) is 'Ends a hold for good; whatever else preserves the same data goes on.';

create function privacy.keep_hold(number text, review_on date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  h constant privacy.legal_holds := private.lock_hold(number);
  today constant date := (clock_timestamp() at time zone 'UTC')::date;
begin
  if review_on <= today or review_on > today + 366 then
    perform private.fail('NS007', 'the next review is within a year');
  end if;
  update privacy.legal_holds x set review_on = keep_hold.review_on where x.id = h.id;
end $$;
comment on function privacy.keep_hold(text, date) is 'Says that a hold is still needed, until its next review.';

create function ops.holds_to_review() returns bigint
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.maintenance_duty();
  return (select count(*) from privacy.legal_holds h where h.released_at is null and h.review_on <= (clock_timestamp() at time zone 'UTC')::date);
end $$;
comment on function ops.holds_to_review() is 'How many legal holds somebody has to look at again.';

-- Who sees and does what ----------------------------------------------------------------------------------------------------

alter table privacy.legal_holds enable row level security;
alter table privacy.legal_holds force row level security;
create policy legal_holds_owner_all on privacy.legal_holds to current_user using (true) with check (true);
create policy legal_holds_staff_select on privacy.legal_holds for select to nestsync_compliance, nestsync_auditor using ((select private.session_duty()) is not null);
grant select on privacy.legal_holds to nestsync_compliance, nestsync_auditor;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'legal holds', 'select', 'always'), ('compliance', 'legal holds', 'insert', 'always'), ('compliance', 'legal holds', 'update', 'always'),
  ('auditor', 'legal holds', 'select', 'always');
select audit.attach('privacy.legal_holds', 'modification', family => 'family_id', person => 'user_id');

revoke execute on all functions in schema privacy, private, audit, ops from public;
grant execute on function privacy.place_hold(uuid, uuid, uuid, text, text, text, date), privacy.keep_hold(text, date), privacy.release_hold(text) to nestsync_compliance;
grant execute on function ops.holds_to_review() to nestsync_sre, nestsync_admin;

-- What the data map says of it -----------------------------------------------------------------------------------------------

do $$
declare
  untold constant text := 'kept for a proceeding, and told where that allows it (PIPEDA s. 9(3); P-39.1 s. 39)';
begin
  perform privacy.declare_path('privacy.legal_holds', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
  perform privacy.declare_path('privacy.legal_holds', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('privacy.legal_holds', 'child', 'child', 'child', 'subject', 'child_id', 'public.children', 'id');
  perform privacy.declare_path('privacy.legal_holds', 'by_placed_by', 'direct', 'operator', 'subject', 'placed_by', 'ops.operators', 'login');
  perform privacy.declare_path('privacy.legal_holds', 'by_released_by', 'direct', 'operator', 'subject', 'released_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.legal_holds', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare('privacy.legal_holds', 'child_id', 'subject', 'child', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare('privacy.legal_holds', 'id number family_id basis review_on placed_at released_at', 'joint', 'household', 'access_record', 'observed', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare('privacy.legal_holds', 'matter', 'joint', 'household', 'access_record', 'reported', 'rights', 'audit', 'anonymize', anonymized_as => '''erased on request''', withheld => untold);
  perform privacy.declare('privacy.legal_holds', 'reference reason ticket release_reason release_ticket', 'joint', 'household', 'access_record', 'reported', 'rights', 'audit', 'anonymize', withheld => untold);
  perform privacy.declare('privacy.legal_holds', 'placed_by released_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
end $$;
