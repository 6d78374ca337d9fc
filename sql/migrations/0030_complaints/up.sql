-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no complaint was ever opened
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- Complaints about how a request was answered, and what nobody may destroy while one can still be heard (PIPEDA s. 8(8)). ---

create table privacy.complaints (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references privacy.requests (id),
  user_id uuid,
  body text not null,
  reference text,
  made_on date not null,
  opened_at timestamptz not null default clock_timestamp(),
  opened_by text not null default session_user,
  closed_on date,
  outcome text,
  recourse_until date,
  closed_at timestamptz,
  closed_by text,
  reason text,
  ticket text,
  constraint complaints_body check (body in ('organization', 'commissioner', 'cai', 'court')),
  constraint complaints_outcome check (outcome in ('well_founded', 'not_well_founded', 'resolved', 'discontinued', 'withdrawn')),
  constraint complaints_closed check (num_nonnulls(closed_on, outcome, closed_at, closed_by) in (0, 4) and closed_on >= made_on
    and (closed_on is not null or recourse_until is null)),
  -- Whoever complained to us goes on by what the request itself leaves them; a court may allow longer than the law gives.
  constraint complaints_recourse check (case
    when closed_on is null or outcome = 'withdrawn' or body = 'organization' then recourse_until is null
    when body = 'commissioner' then recourse_until >= (closed_on + interval '1 year')::date and recourse_until is not null
    when body = 'cai' then recourse_until >= closed_on + 30 and recourse_until is not null
    else coalesce(recourse_until >= closed_on, true) end)
);
create unique index complaints_open_idx on privacy.complaints (request_id, body) where closed_on is null;
create index complaints_request_idx on privacy.complaints (request_id);
create index complaints_user_idx on privacy.complaints (user_id) where user_id is not null;
comment on table privacy.complaints is 'Complaints about how a request was answered. What was asked for is kept while one is open, and until the person can go no further.';
comment on column privacy.complaints.user_id is 'The subject of the request, where it has an account.';
comment on column privacy.complaints.body is
  'Whom they complained to: organization, us (PIPEDA principle 4.10); commissioner, the Privacy Commissioner of Canada; cai, the Commission d''accès à l''information; court.';
comment on column privacy.complaints.reference is 'The number of its file there.';
comment on column privacy.complaints.recourse_until is
  'The last day to go on to a court: a year after the report of the Commissioner (PIPEDA s. 14(2)), 30 days after the decision of the CAI (P-39.1 s. 63); of a court as it was entered. Null: none is left.';
comment on column privacy.complaints.reason is 'Why the operator recorded it, in their words.';

create trigger complaints_no_delete before delete on privacy.complaints for each row execute function private.refuse_delete();
create trigger complaints_no_truncate before truncate on privacy.complaints execute function private.refuse_truncate();

create function private.guard_complaint() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  words constant text[] := '{reference,reason,ticket}';
  closing constant text[] := '{closed_on,outcome,recourse_until,closed_at,closed_by}';
  was constant jsonb := to_jsonb(old);
  becomes constant jsonb := to_jsonb(new);
begin
  if becomes - words - closing <> was - words - closing or not private.only_taken_out(was, becomes, words)
    or (old.closed_on is not null and becomes - words <> was - words) then
    perform private.fail('NS005', 'what a complaint is about never changes, and it closes once');
  end if;
  return new;
end $$;
create trigger complaints_guard before update on privacy.complaints for each row execute function private.guard_complaint();

-- What is held ----------------------------------------------------------------------------------------------------------

create function privacy.request_holds(r privacy.requests, out why text, out until date) returns setof record
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select x.why, x.until from (
    -- What somebody asks to see, to take along or to have corrected is no more to be destroyed than what they complain about.
    select 'request' as why, null::date as until
    where r.kind in ('access', 'portability', 'correction') and r.state in ('open', 'in_progress')
    union all
    select 'recourse', r.recourse_until
    where r.kind in ('access', 'portability', 'correction') and r.state in ('fulfilled', 'denied')
      and r.recourse_until >= (clock_timestamp() at time zone r.zone)::date
    union all
    select 'complaint', null where exists (select from privacy.complaints c where c.request_id = r.id and c.closed_on is null)
    union all
    select 'complaint_recourse', max(c.recourse_until) from privacy.complaints c
    where c.request_id = r.id and c.recourse_until >= (clock_timestamp() at time zone r.zone)::date
    having count(*) > 0) x
  order by x.until desc nulls first, x.why;
end;
comment on function privacy.request_holds(privacy.requests) is
  'Why what a request asked for is kept, and until when; a null date: until that ends. request: it waits for an answer; recourse: its refusal can be complained of; complaint: one is open; complaint_recourse: a court can still be asked.';

create function private.held_subjects()
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

create function privacy.holds(person uuid, families uuid[] default '{}') returns table (number text, why text, until date)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('compliance', 'auditor', 'admin') then
    perform private.fail('NS004', 'what holds the data of a person is asked under the duty compliance, auditor or admin');
  end if;
  return query select h.number, h.why, h.until from private.held_subjects() h where h.user_id = person or h.family_id = any (families)
  order by h.number, h.until desc nulls first;
end $$;
comment on function privacy.holds(uuid, uuid[]) is 'The requests that hold the data of a person, or of families that would go with them: nothing of it is destroyed until then.';

create function private.refuse_held_erasure() returns trigger
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
-- By its name after erasures_stamp, which asks for the approval.
create trigger erasures_unheld before insert on audit.erasures for each row execute function private.refuse_held_erasure();

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

-- Operations --------------------------------------------------------------------------------------------------------------

create function privacy.open_complaint(number text, body text, reference text, made_on date) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.lock_request(number);
  the_complaint uuid;
begin
  if made_on > (clock_timestamp() at time zone r.zone)::date or made_on < (r.received_at at time zone r.zone)::date then
    perform private.fail('NS007', 'a complaint is made between the receipt of the request and today');
  end if;
  if exists (select from privacy.complaints c where c.request_id = r.id and c.body = open_complaint.body and c.closed_on is null) then
    perform private.fail('NS005', format('a complaint about %s is open there already', r.number), format('nestctl request show %s', r.number));
  end if;
  insert into privacy.complaints (request_id, user_id, body, reference, made_on, opened_by, reason, ticket)
  values (r.id, r.user_id, body, reference, made_on, session_user, btrim(current_setting('nestsync.reason', true)),
    nullif(btrim(current_setting('nestsync.ticket', true)), ''))
  returning id into the_complaint;
  return the_complaint;
end $$;
comment on function privacy.open_complaint(text, text, text, date) is 'Records that somebody complained about a request, which holds what it asked for.';

create function privacy.close_complaint(number text, body text, outcome text, closed_on date, recourse_until date) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.lock_request(number);
  c privacy.complaints;
begin
  select x.* into c from privacy.complaints x where x.request_id = r.id and x.body = close_complaint.body and x.closed_on is null for update;
  if not found then
    perform private.fail('NS006', format('no complaint about %s is open there', r.number), format('nestctl request show %s', r.number));
  end if;
  if closed_on > (clock_timestamp() at time zone r.zone)::date then
    perform private.fail('NS007', 'a complaint is closed once it has ended');
  end if;
  update privacy.complaints x set closed_on = close_complaint.closed_on, outcome = close_complaint.outcome,
    recourse_until = close_complaint.recourse_until, closed_at = clock_timestamp(), closed_by = session_user
  where x.id = c.id;
  return c.id;
end $$;
comment on function privacy.close_complaint(text, text, text, date, date) is 'Records how a complaint ended, and until when the person can go on to a court.';

-- Who sees and does what ----------------------------------------------------------------------------------------------------

alter table privacy.complaints enable row level security;
alter table privacy.complaints force row level security;
create policy complaints_owner_all on privacy.complaints to current_user using (true) with check (true);
create policy complaints_staff_select on privacy.complaints for select to nestsync_compliance, nestsync_auditor using ((select private.session_duty()) is not null);
grant select on privacy.complaints to nestsync_compliance, nestsync_auditor;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'complaints', 'select', 'always'), ('compliance', 'complaints', 'insert', 'always'), ('compliance', 'complaints', 'update', 'always'),
  ('auditor', 'complaints', 'select', 'always');
select audit.attach('privacy.complaints', 'modification', person => 'user_id');

revoke execute on all functions in schema privacy, private, audit from public;
grant execute on function privacy.holds(uuid, uuid[]) to nestsync_compliance, nestsync_auditor, nestsync_admin;
grant execute on function privacy.open_complaint(text, text, text, date), privacy.close_complaint(text, text, text, date, date) to nestsync_compliance;
grant execute on function audit.retention_hold(audit.category, date) to nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function privacy.request_holds(privacy.requests) to nestsync_compliance, nestsync_auditor;

-- What the data map says of it -----------------------------------------------------------------------------------------------

select privacy.declare_path('privacy.complaints', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id'),
  privacy.declare_path('privacy.complaints', 'request', 'direct', 'request', 'subject', 'request_id', 'privacy.requests', 'id'),
  privacy.declare_path('privacy.complaints', 'by_opened_by', 'direct', 'operator', 'subject', 'opened_by', 'ops.operators', 'login'),
  privacy.declare_path('privacy.complaints', 'by_closed_by', 'direct', 'operator', 'subject', 'closed_by', 'ops.operators', 'login'),
  privacy.declare('privacy.complaints', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.complaints', 'id request_id body made_on opened_at closed_on outcome recourse_until closed_at', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.complaints', 'reference', 'subject', 'account', 'communication', 'observed', 'rights', 'audit', 'anonymize'),
  privacy.declare('privacy.complaints', 'reason', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize',
    withheld => 'may name somebody else; told in words on request (PIPEDA s. 9(1))'),
  privacy.declare('privacy.complaints', 'ticket', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', withheld => 'leads into a system of staff'),
  privacy.declare('privacy.complaints', 'opened_by closed_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
