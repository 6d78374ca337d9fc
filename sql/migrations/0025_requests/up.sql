-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no request was ever opened
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.subjects, privacy.paths, privacy.column_answers

-- What people ask of their data, and how it was answered. Days are reckoned by the console's clock (src/privacy/clock);
-- what can be known without holidays is checked here again.

create table privacy.requests (
  id uuid primary key default gen_random_uuid(),
  number text not null unique,
  regime text not null,
  kind text not null,
  subject_kind text not null,
  user_id uuid,
  child_id uuid,
  contact_id uuid,
  email text,
  requester text not null default 'self',
  requester_user uuid,
  requester_name text,
  requester_contact text,
  asks text,
  channel text not null,
  dated_on date,
  received_at timestamptz not null,
  zone private.time_zone not null,
  language text not null,
  duplicate_of uuid references privacy.requests (id),
  opened_at timestamptz not null default clock_timestamp(),
  opened_by text not null default session_user,
  state text not null default 'open',
  state_reason text,
  limit_on date not null,
  due_on date not null,
  due_before timestamptz not null,
  extended_days integer not null default 0,
  conversion_days integer not null default 0,
  recourse_until date,
  identity_verified_at timestamptz,
  cost_estimate numeric(8, 2),
  cost_accepted_at timestamptz,
  answered_at timestamptz,
  constraint requests_number check (number ~ '^REQ-[0-9]{4}-[0-9]{4,}$'),
  constraint requests_regime check (regime in ('pipeda', 'law25')),
  constraint requests_kind check (kind in ('access', 'correction', 'deletion', 'portability', 'consent_withdrawal')),
  constraint requests_subject_kind check (subject_kind in ('user', 'child', 'contact', 'address')),
  -- An address goes when its person is erased.
  constraint requests_subject check (
    (subject_kind = 'user') = (user_id is not null) and (subject_kind = 'child') = (child_id is not null)
    and (subject_kind = 'contact') = (contact_id is not null) and (subject_kind = 'address' or email is null)),
  constraint requests_email check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint requests_requester check (requester in ('self', 'guardian', 'representative') and (subject_kind <> 'child' or requester <> 'self')
    and (requester <> 'self' or num_nonnulls(requester_user, requester_name, requester_contact) = 0)),
  constraint requests_channel check (channel in ('email', 'form', 'mail', 'in_person')),
  constraint requests_language check (language in ('en', 'fr')),
  constraint requests_dated check (dated_on <= (received_at at time zone zone)::date),
  constraint requests_received check (received_at <= opened_at),
  constraint requests_state check (case state
    when 'open' then state_reason is null
    when 'in_progress' then (state_reason is null) = (identity_verified_at is not null) and coalesce(state_reason = 'need_user_verification', true)
    when 'denied' then state_reason in ('suspected_fraud', 'insuf_verification', 'no_match', 'claim_not_covered', 'outside_jurisdiction', 'too_many_requests', 'other')
    when 'fulfilled' then state_reason is null and identity_verified_at is not null and (cost_estimate is null or cost_accepted_at is not null)
    when 'revoked' then state_reason is null
    else false end and (state <> 'denied' or state_reason is not null)),
  constraint requests_answered check ((answered_at is not null) = (state in ('fulfilled', 'denied')) and answered_at >= received_at),
  constraint requests_extension check (extended_days between 0 and 30 and conversion_days >= 0 and (regime = 'pipeda' or extended_days + conversion_days = 0)),
  constraint requests_limit check (limit_on = (received_at at time zone zone)::date + 30 + extended_days + conversion_days),
  -- Sundays and holidays in a row are three at most.
  constraint requests_due check (due_on between limit_on and limit_on + 3 and ((due_before - interval '1 microsecond') at time zone zone)::date = due_on
    and (due_before at time zone zone)::date = due_on + 1),
  constraint requests_recourse check (case
    when state = 'revoked' or (state = 'fulfilled' and answered_at < due_before) then recourse_until is null
    else recourse_until - (case when state = 'denied' then (answered_at at time zone zone)::date else due_on end
      + case regime when 'pipeda' then interval '6 months' else interval '30 days' end)::date between 0 and 3 and recourse_until is not null end),
  constraint requests_cost check (cost_estimate > 0 and (cost_accepted_at is null or cost_estimate is not null))
);
-- One of a kind at a time, but for those that somebody saw to be another.
create unique index requests_open_idx on privacy.requests (kind, (coalesce(user_id::text, child_id::text, contact_id::text, lower(email))))
  where state in ('open', 'in_progress') and duplicate_of is null;
create index requests_due_idx on privacy.requests (due_before) where state in ('open', 'in_progress');
create index requests_user_idx on privacy.requests (user_id) where user_id is not null;
create index requests_duplicate_idx on privacy.requests (duplicate_of) where duplicate_of is not null;
comment on table privacy.requests is
  'Requests of persons about their data, and where each stands. States and codes of a denial are the words of the Data Rights Protocol; expired is read off the clock: privacy.request_state.';
comment on column privacy.requests.email is 'Of a subject who has no account.';
comment on column privacy.requests.requester is 'Who asks: the subject, a guardian or another representative.';
comment on column privacy.requests.requester_contact is 'Where the answer goes that somebody else asked for.';
comment on column privacy.requests.asks is 'In the person''s words.';
comment on column privacy.requests.dated_on is 'The date that the request bears; null: none. The notice of an extension is counted from it.';
comment on column privacy.requests.duplicate_of is 'The open request of the same kind and subject that this one was seen to be another of.';
comment on column privacy.requests.limit_on is 'The last day as it is counted, before a holiday moves it.';
comment on column privacy.requests.due_on is 'The last day for the answer.';
comment on column privacy.requests.due_before is 'When that day is over where the person lives.';
comment on column privacy.requests.extended_days is 'Days taken for interference with activities or for consultations.';
comment on column privacy.requests.conversion_days is 'Days taken to convert to an alternative format.';
comment on column privacy.requests.recourse_until is
  'The last day on which the person can complain: of the refusal, or while there is no answer of the silence after due_on. Until then nothing that was asked for is destroyed (PIPEDA s. 8(8)). Null: answered in time, or withdrawn.';

create table privacy.request_steps (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references privacy.requests (id),
  number integer not null,
  user_id uuid,
  step text not null,
  at timestamptz not null default clock_timestamp(),
  by text not null default session_user,
  duty text,
  state text not null,
  state_reason text,
  took_place_on date,
  ground text,
  days integer,
  limit_on date,
  notice_at timestamptz,
  method text,
  document text,
  authority text,
  passed boolean,
  party text,
  answer text,
  amount numeric(8, 2),
  recourse_told boolean,
  told text,
  reason text,
  ticket text,
  unique (request_id, number),
  constraint request_steps_step check (step in ('opened', 'identity_checked', 'extended', 'consulted', 'cost_told', 'cost_accepted', 'cost_waived', 'amended', 'annotated', 'notified', 'fulfilled', 'denied', 'revoked')),
  constraint request_steps_extended check (num_nonnulls(ground, days, limit_on, notice_at) = case step when 'extended' then 4 else 0 end
    and ground in ('unreasonable_interference', 'consultation', 'conversion') and days > 0),
  constraint request_steps_identity check (num_nonnulls(method, passed) = case step when 'identity_checked' then 2 else 0 end
    and method in ('document', 'signed_in', 'known_facts')
    and (document is not null) = coalesce(method = 'document', false)
    and document in ('passport', 'drivers_licence', 'provincial_card', 'permanent_resident_card', 'birth_certificate', 'other')
    and authority in ('guardian_of_record', 'court_order', 'birth_certificate', 'mandate')),
  -- What was seen is kept, never its number.
  constraint request_steps_no_number check (step <> 'identity_checked' or told !~ '[0-9]{4,}'),
  constraint request_steps_consulted check ((party is not null) = (step = 'consulted')
    and party in ('other_member', 'health_provider', 'processor', 'authority', 'other')
    and (answer is null or step = 'consulted') and answer in ('consents', 'objects', 'none')),
  constraint request_steps_cost check ((amount is not null) = (step = 'cost_told') and amount > 0),
  constraint request_steps_recourse check ((step = 'denied') = coalesce(recourse_told, false))
);
comment on table privacy.request_steps is 'What was done about a request, step by step; nothing in it changes, but that its words can be taken out when the person is erased.';
comment on column privacy.request_steps.user_id is 'The subject of the request, where it has an account.';
comment on column privacy.request_steps.state is 'Of the request, from this step on.';
comment on column privacy.request_steps.took_place_on is 'Where the step is recorded later than it took place.';
comment on column privacy.request_steps.told is 'What the person is told: reasons, what answered the request; for an identity check a remark.';
comment on column privacy.request_steps.reason is 'Why the operator did it, in their words.';
comment on column privacy.request_steps.authority is 'What showed that somebody else may ask for the subject.';

create trigger requests_no_delete before delete on privacy.requests for each row execute function private.refuse_delete();
create trigger requests_no_truncate before truncate on privacy.requests execute function private.refuse_truncate();
create trigger request_steps_no_delete before delete on privacy.request_steps for each row execute function private.refuse_delete();
create trigger request_steps_no_truncate before truncate on privacy.request_steps execute function private.refuse_truncate();

-- What may change, and into what ------------------------------------------------------------------------------------

create function private.only_taken_out(was jsonb, becomes jsonb, words text[]) returns boolean
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select bool_and(becomes -> w = 'null' or becomes -> w = was -> w) from unnest(words) w);
comment on function private.only_taken_out(jsonb, jsonb, text[]) is 'Whether each of the words is as it was, or null now.';

create function private.guard_request() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  words constant text[] := '{email,requester_name,requester_contact,asks}';
  moving constant text[] := '{state,state_reason,limit_on,due_on,due_before,extended_days,conversion_days,recourse_until,identity_verified_at,cost_estimate,cost_accepted_at,answered_at}';
begin
  if to_jsonb(new) - words - moving <> to_jsonb(old) - words - moving or not private.only_taken_out(to_jsonb(old), to_jsonb(new), words) then
    perform private.fail('NS005', format('what request %s is about never changes', old.number));
  end if;
  if old.state in ('fulfilled', 'denied', 'revoked') and to_jsonb(new) - words <> to_jsonb(old) - words then
    perform private.fail('NS005', format('request %s has ended: it is %s', old.number, old.state), format('nestctl request show %s', old.number));
  end if;
  return new;
end $$;
create trigger requests_guard before update on privacy.requests for each row execute function private.guard_request();

create function private.stamp_request_step() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  last privacy.request_steps;
  words constant text[] := '{told,reason,ticket}';
begin
  if tg_op = 'UPDATE' then
    if to_jsonb(new) - words <> to_jsonb(old) - words or not private.only_taken_out(to_jsonb(old), to_jsonb(new), words) then
      perform private.fail('NS005', 'what was done about a request never changes');
    end if;
    return new;
  end if;
  select s.* into last from privacy.request_steps s where s.request_id = new.request_id order by s.number desc limit 1;
  new.number := coalesce(last.number, 0) + 1;
  new.at := clock_timestamp();
  new.by := session_user;
  new.duty := private.session_duty();
  -- A request opens once, goes on, and ends once.
  if (last.number is null) <> (new.step = 'opened') or (new.step = 'opened') <> (new.state = 'open')
    or (new.state in ('fulfilled', 'denied', 'revoked')) <> (new.step = new.state)
    or last.state in ('fulfilled', 'denied', 'revoked') then
    perform private.fail('NS005', format('after %s a request cannot be %s by the step %s', coalesce(last.state, 'nothing'), new.state, new.step));
  end if;
  return new;
end $$;
create trigger request_steps_stamp before insert or update on privacy.request_steps for each row execute function private.stamp_request_step();

create function private.follow_request_steps() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  the_request uuid := coalesce(to_jsonb(new) ->> 'request_id', to_jsonb(new) ->> 'id');
begin
  if not exists (
    select from privacy.requests r join lateral (
      select s.state, s.state_reason from privacy.request_steps s where s.request_id = r.id order by s.number desc limit 1) last
      on (last.state, coalesce(last.state_reason, '')) = (r.state, coalesce(r.state_reason, ''))
    where r.id = the_request
      and r.extended_days = (select coalesce(sum(s.days), 0) from privacy.request_steps s where s.request_id = r.id and s.ground <> 'conversion')
      and r.conversion_days = (select coalesce(sum(s.days), 0) from privacy.request_steps s where s.request_id = r.id and s.ground = 'conversion')
      and (r.identity_verified_at is not null) = exists (select from privacy.request_steps s where s.request_id = r.id and s.passed))
  then
    perform private.fail('NS005', format('request %s does not stand where its steps led', the_request));
  end if;
  return null;
end $$;
comment on function private.follow_request_steps() is 'Checked when the transaction commits: state, days and identity of a request are those that its steps say.';
create constraint trigger requests_follow_steps after insert or update on privacy.requests
  deferrable initially deferred for each row execute function private.follow_request_steps();
create constraint trigger request_steps_followed after insert on privacy.request_steps
  deferrable initially deferred for each row execute function private.follow_request_steps();

create function privacy.request_state(r privacy.requests) returns text
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
  return case when r.state in ('open', 'in_progress') and r.due_before <= clock_timestamp() then 'expired' else r.state end;
comment on function privacy.request_state(privacy.requests) is
  'The state by the clock: expired where nothing was answered in time, which the law deems a refusal (PIPEDA s. 8(5); P-39.1 s. 32). An answer ends it all the same.';

-- Operations ----------------------------------------------------------------------------------------------------------

create function private.require_request_duty() returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') <> 'compliance' then
    perform private.fail('NS004', 'requests are handled under the duty compliance');
  end if;
  if char_length(btrim(coalesce(current_setting('nestsync.reason', true), ''))) < 10 then
    perform private.fail('NS001', 'a reason of at least 10 characters is needed', 'Say why this step is taken: --reason "…"');
  end if;
end $$;

create function private.lock_request(number text) returns privacy.requests
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
begin
  perform private.require_request_duty();
  select q.* into r from privacy.requests q where q.number = lock_request.number for update;
  if not found then
    perform private.fail('NS006', format('there is no request %s', number), 'nestctl request list --all');
  end if;
  -- The number is the ticket of whoever gives none.
  if coalesce(btrim(current_setting('nestsync.ticket', true)), '') = '' then
    perform set_config('nestsync.ticket', r.number, true);
  end if;
  return r;
end $$;
comment on function private.lock_request(text) is 'The request, locked, ended or not, for an officer who says why.';

create function private.request_to_change(number text, seen text) returns privacy.requests
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r constant privacy.requests := private.lock_request(number);
  version text;
begin
  select q.xmin::text into version from privacy.requests q where q.id = r.id;
  perform private.refuse_stale('request', seen, version);
  if r.state in ('fulfilled', 'denied', 'revoked') then
    perform private.fail('NS005', format('request %s has ended: it is %s', r.number, r.state), format('nestctl request show %s', r.number));
  end if;
  return r;
end $$;
comment on function private.request_to_change(text, text) is 'The request, locked, for an officer who says why; raises where it has ended or is no more the one that was shown.';

create function private.request_goes_on(r privacy.requests, out state text, out state_reason text)
  language sql immutable set search_path = pg_catalog, pg_temp
  return ('in_progress'::text, case when r.identity_verified_at is null then 'need_user_verification'::text end);

create function private.take_request_step(r privacy.requests, s privacy.request_steps) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  s.id := gen_random_uuid();
  s.request_id := r.id;
  s.user_id := r.user_id;
  s.number := 0;
  s.state := r.state;
  s.state_reason := r.state_reason;
  s.reason := btrim(current_setting('nestsync.reason', true));
  s.ticket := nullif(btrim(current_setting('nestsync.ticket', true)), '');
  s.at := clock_timestamp();
  s.by := session_user;
  insert into privacy.request_steps select s.*;
  update privacy.requests q set state = r.state, state_reason = r.state_reason, limit_on = r.limit_on, due_on = r.due_on, due_before = r.due_before,
    extended_days = r.extended_days, conversion_days = r.conversion_days, recourse_until = r.recourse_until, identity_verified_at = r.identity_verified_at,
    cost_estimate = r.cost_estimate, cost_accepted_at = r.cost_accepted_at, answered_at = r.answered_at
  where q.id = r.id and q.* is distinct from r;
end $$;
comment on function private.take_request_step(privacy.requests, privacy.request_steps) is 'Records a step, and where the request stands after it.';

create function privacy.open_request(wish jsonb) returns text
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  given constant text[] := '{regime,kind,subject_kind,user_id,child_id,contact_id,email,requester,requester_user,requester_name,requester_contact,asks,channel,dated_on,received_at,zone,language,limit_on,due_on,due_before,recourse_until}';
  r privacy.requests;
  twin privacy.requests;
  year text;
  s privacy.request_steps;
begin
  perform private.require_request_duty();
  if exists (select from jsonb_object_keys(wish) k where k <> all (given || '{duplicate_of}'::text[])) then
    perform private.fail('NS007', 'a request is opened with other particulars than these');
  end if;
  r := jsonb_populate_record(null::privacy.requests, wish - 'duplicate_of');
  if coalesce(char_length(btrim(r.asks)), 0) = 0 then
    perform private.fail('NS007', 'what is asked for has to be said');
  end if;
  if r.subject_kind = 'address' and r.email is null then
    perform private.fail('NS007', 'a subject without an account is named by an address');
  end if;
  if r.received_at > clock_timestamp() then
    perform private.fail('NS007', 'a request cannot have been received in the future');
  end if;
  if r.user_id is not null and not exists (select from public.users u where u.id = r.user_id)
    or r.child_id is not null and not exists (select from public.children c where c.id = r.child_id)
    or r.contact_id is not null and not exists (select from public.emergency_profiles p where p.id = r.contact_id)
    or r.requester_user is not null and not exists (select from public.users u where u.id = r.requester_user)
  then
    perform private.fail('NS006', 'somebody named in it is not there');
  end if;
  -- Numbers of a year follow one another, and no two of a kind are opened at once.
  perform pg_advisory_xact_lock(hashtextextended('nestsync requests', 0));
  select q.* into twin from privacy.requests q
  where q.kind = r.kind and q.state in ('open', 'in_progress')
    and (q.user_id, q.child_id, q.contact_id, lower(q.email)) is not distinct from (r.user_id, r.child_id, r.contact_id, lower(r.email))
  order by q.opened_at limit 1;
  if found and wish ->> 'duplicate_of' is null then
    perform private.fail('NS005', format('request %s of the same kind and subject is open', twin.number),
      format('If this one asks for something else: --duplicate-of %s', twin.number));
  end if;
  if wish ->> 'duplicate_of' is not null then
    select q.id into r.duplicate_of from privacy.requests q
    where q.number = wish ->> 'duplicate_of' and q.kind = r.kind
      and (q.user_id, q.child_id, q.contact_id, lower(q.email)) is not distinct from (r.user_id, r.child_id, r.contact_id, lower(r.email));
    if not found then
      perform private.fail('NS006', format('there is no request %s of that kind and subject', wish ->> 'duplicate_of'), 'nestctl request list --all');
    end if;
  end if;
  year := to_char(r.received_at at time zone r.zone, 'YYYY');
  select format('REQ-%s-%s', year, lpad(n::text, greatest(4, char_length(n::text)), '0')) into r.number
  from (select coalesce(max(substr(q.number, 10)::bigint), 0) + 1 as n from privacy.requests q where q.number ^@ ('REQ-' || year || '-')) following;
  if coalesce(btrim(current_setting('nestsync.ticket', true)), '') = '' then
    perform set_config('nestsync.ticket', r.number, true);
  end if;
  insert into privacy.requests (number, regime, kind, subject_kind, user_id, child_id, contact_id, email, requester, requester_user, requester_name, requester_contact,
    asks, channel, dated_on, received_at, zone, language, duplicate_of, limit_on, due_on, due_before, recourse_until)
  values (r.number, r.regime, r.kind, r.subject_kind, r.user_id, r.child_id, r.contact_id, r.email, coalesce(r.requester, 'self'), r.requester_user, r.requester_name,
    r.requester_contact, r.asks, r.channel, r.dated_on, r.received_at, r.zone, r.language, r.duplicate_of, r.limit_on, r.due_on, r.due_before, r.recourse_until)
  returning * into r;
  s.step := 'opened';
  perform private.take_request_step(r, s);
  return r.number;
end $$;
comment on function privacy.open_request(jsonb) is
  'Opens a request with the particulars given (columns of privacy.requests, and duplicate_of by its number), and returns its number. Raises where another of its kind and subject is open.';

create function private.identity_attempts(request uuid) returns bigint
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select count(*) from privacy.request_steps x where x.request_id = request and not x.passed and x.at > clock_timestamp() - interval '24 hours';
end;
comment on function private.identity_attempts(uuid) is 'Attempts to verify who asks that failed within 24 hours.';

create function private.refuse_another_attempt(r privacy.requests) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- An old snapshot would not count what others have tried since.
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    perform private.fail('NS005', 'an identity is checked at isolation level read committed');
  end if;
  if private.identity_attempts(r.id) >= 3 then
    perform private.fail('NS003', 'three attempts have failed within 24 hours: the next is tomorrow',
      format('Or refuse it: nestctl request refuse %s --code insuf_verification', r.number));
  end if;
end $$;
comment on function private.refuse_another_attempt(privacy.requests) is 'Raises where three attempts have failed within 24 hours. The request is locked already, so that they count one after the other.';

create function private.refuse_verified(r privacy.requests) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if r.identity_verified_at is not null then
    perform private.fail('NS005', 'the identity is verified already', format('nestctl request show %s', r.number));
  end if;
end $$;

create function private.require_authority(r privacy.requests, authority text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  family uuid;
  allowed boolean;
  why text;
begin
  if r.requester <> 'self' and authority is null then
    perform private.fail('NS007', 'somebody else asks for the subject: say what showed that they may', 'Add --authority');
  end if;
  -- A guardian of a child is one of record: that somebody saw a document once is not looked up again when it counts.
  if r.child_id is not null and r.requester = 'guardian' and authority <> 'guardian_of_record' then
    perform private.fail('NS007', 'who stands for a child as its guardian is on record first', 'nestctl guardian add; then: --authority guardian_of_record');
  end if;
  if authority = 'guardian_of_record' then
    if r.child_id is null then
      perform private.fail('NS007', 'guardians on record stand for children');
    end if;
    family := private.family_of_child(r.child_id);
    select m.allowed, m.why into allowed, why from privacy.may_act_for(family, r.child_id, r.requester_user,
      case when r.requester_user is null then r.requester_name end) m;
    if not allowed then
      perform private.fail('NS005', format('whoever asks may not act for the child: %s', why), format('nestctl guardian list --family %s', family));
    end if;
  end if;
end $$;
comment on function private.require_authority(privacy.requests, text) is 'Raises unless whoever asks may do so for the subject, by what was shown.';

create function private.refuse_document_number(remark text) returns void
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if remark ~ '[0-9]{4,}' then
    perform private.fail('NS007', 'numbers of documents are not kept, and the remark holds one');
  end if;
end $$;

create function private.take_identity_step(r privacy.requests, method text, document text, authority text, passed boolean, remark text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s privacy.request_steps;
begin
  if passed then
    r.identity_verified_at := clock_timestamp();
  end if;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'identity_checked';
  s.method := method;
  s.document := document;
  s.authority := authority;
  s.passed := passed;
  s.told := remark;
  perform private.take_request_step(r, s);
end $$;

create function privacy.check_identity(number text, seen text, method text, document text, authority text, passed boolean, remark text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
begin
  perform private.refuse_verified(r);
  if passed then
    perform private.require_authority(r, authority);
  end if;
  perform private.refuse_document_number(remark), private.refuse_another_attempt(r);
  perform private.take_identity_step(r, method, document, authority, passed, remark);
end $$;
comment on function privacy.check_identity(text, text, text, text, text, boolean, text) is
  'Records how the identity of whoever asks was checked, passed or failed; at most three failed attempts in 24 hours.';

create function privacy.extend_request(number text, seen text, ground text, days integer, notice_at timestamptz, limit_on date, due_on date, due_before timestamptz,
  recourse_until date, told text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  if r.regime <> 'pipeda' then
    perform private.fail('NS005', 'that law knows no extension');
  end if;
  if exists (select from privacy.request_steps x where x.request_id = r.id and (x.ground = 'conversion') = (extend_request.ground = 'conversion')) then
    perform private.fail('NS005', 'the limit was extended already, and is so once');
  end if;
  if notice_at > clock_timestamp() or notice_at < r.received_at then
    perform private.fail('NS007', 'the notice went out between the receipt of the request and now');
  end if;
  if (notice_at at time zone r.zone)::date > coalesce(r.dated_on, (r.received_at at time zone r.zone)::date) + 30 then
    perform private.fail('NS005', 'the notice of an extension is due within 30 days of the date of the request (PIPEDA s. 8(4))');
  end if;
  if coalesce(btrim(told), '') = '' then
    perform private.fail('NS007', 'the notice gives the reasons');
  end if;
  if ground = 'conversion' then
    r.conversion_days := days;
  else
    r.extended_days := days;
  end if;
  r.limit_on := limit_on;
  r.due_on := due_on;
  r.due_before := due_before;
  r.recourse_until := recourse_until;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'extended';
  s.ground := ground;
  s.days := days;
  s.limit_on := limit_on;
  s.notice_at := notice_at;
  s.told := told;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.extend_request(text, text, text, integer, timestamptz, date, date, timestamptz, date, text) is
  'Extends the limit of a request: of PIPEDA, told in time, once for interference or consultations (30 days at most) and once for conversion.';

create function privacy.consult(number text, seen text, party text, took_place_on date, answer text, remark text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  if took_place_on > (clock_timestamp() at time zone r.zone)::date then
    perform private.fail('NS007', 'a consultation is recorded once it has taken place');
  end if;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'consulted';
  s.party := party;
  s.took_place_on := took_place_on;
  s.answer := answer;
  s.told := remark;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.consult(text, text, text, date, text, text) is 'Records that a third party was asked, or answered: what kind of party, never who.';

create function privacy.set_request_cost(number text, seen text, what text, amount numeric, told text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  if what = 'cost_told' then
    if r.cost_accepted_at is not null then
      perform private.fail('NS005', 'a cost was accepted already');
    end if;
    r.cost_estimate := amount;
    s.amount := amount;
  elsif r.cost_estimate is null or r.cost_accepted_at is not null then
    perform private.fail('NS005', 'no cost waits to be accepted', format('nestctl request show %s', r.number));
  elsif what = 'cost_accepted' then
    r.cost_accepted_at := clock_timestamp();
  else
    r.cost_estimate := null;
  end if;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := what;
  s.told := told;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.set_request_cost(text, text, text, numeric, text) is
  'Records that an approximate cost was told (cost_told), that the person goes on with it (cost_accepted), or that nothing is charged (cost_waived); PIPEDA s. 8(6).';

create function private.answer_day(r privacy.requests, answered_at timestamptz) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if answered_at is null or answered_at > clock_timestamp() or answered_at < r.received_at then
    perform private.fail('NS007', 'the answer went out between the receipt of the request and now');
  end if;
end $$;

create function privacy.fulfil_request(number text, seen text, told text, answered_at timestamptz, recourse_until date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  perform private.answer_day(r, answered_at);
  if r.identity_verified_at is null then
    perform private.fail('NS005', 'nothing is handed out before the identity is verified', format('nestctl request verify-identity %s', r.number));
  end if;
  if r.cost_estimate is not null and r.cost_accepted_at is null then
    perform private.fail('NS005', 'the cost that was told is neither accepted nor waived', format('nestctl request cost %s', r.number));
  end if;
  if coalesce(btrim(told), '') = '' then
    perform private.fail('NS007', 'what answered the request has to be said');
  end if;
  r.state := 'fulfilled';
  r.state_reason := null;
  r.answered_at := answered_at;
  r.recourse_until := recourse_until;
  s.step := 'fulfilled';
  s.told := told;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.fulfil_request(text, text, text, timestamptz, date) is 'Ends a request as answered: identity verified, a cost accepted or waived, and what answered it.';

create function privacy.refuse_request(number text, seen text, code text, told text, recourse_told boolean, answered_at timestamptz, recourse_until date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  perform private.answer_day(r, answered_at);
  if coalesce(char_length(btrim(told)), 0) < 10 then
    perform private.fail('NS007', 'a refusal gives its reasons in writing (PIPEDA s. 8(7); P-39.1 s. 34)');
  end if;
  if recourse_told is distinct from true then
    perform private.fail('NS007', 'a refusal tells of the recourse there is (PIPEDA s. 8(7); P-39.1 s. 34)');
  end if;
  r.state := 'denied';
  r.state_reason := code;
  r.answered_at := answered_at;
  r.recourse_until := recourse_until;
  s.step := 'denied';
  s.recourse_told := true;
  s.told := told;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.refuse_request(text, text, text, text, boolean, timestamptz, date) is 'Ends a request as refused, with the reasons that the person is given and until when they can complain.';

create function privacy.withdraw_request(number text, seen text, told text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
begin
  r.state := 'revoked';
  r.state_reason := null;
  r.recourse_until := null;
  s.step := 'revoked';
  s.told := told;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.withdraw_request(text, text, text) is 'Ends a request that the person took back.';

create function ops.due_requests(soon interval) returns table (open bigint, overdue bigint, due_soon bigint, next_due timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.maintenance_duty();
  return query
    select count(*), count(*) filter (where q.due_before <= clock_timestamp()),
      count(*) filter (where q.due_before > clock_timestamp() and q.due_before <= clock_timestamp() + soon), min(q.due_before) filter (where q.due_before > clock_timestamp())
    from privacy.requests q where q.state in ('open', 'in_progress');
end $$;
comment on function ops.due_requests(interval) is 'For maintenance: how many requests wait for an answer, how many are past their limit, and how many reach it soon; nobody is named.';

-- Who sees and does what --------------------------------------------------------------------------------------------

do $$
declare
  t text;
begin
  foreach t in array array['requests', 'request_steps'] loop
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_auditor using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_auditor', t);
  end loop;
end $$;
grant usage on schema privacy to nestsync_auditor;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'requests', 'select', 'always'), ('compliance', 'requests', 'insert', 'always'), ('compliance', 'requests', 'update', 'always'), ('auditor', 'requests', 'select', 'always');

select audit.attach('privacy.requests', 'modification', person => 'user_id');
select audit.attach('privacy.request_steps', 'modification', person => 'user_id');

revoke execute on all functions in schema privacy, private, ops, audit from public;
grant execute on function privacy.request_state(privacy.requests) to nestsync_compliance, nestsync_auditor;
grant execute on function privacy.open_request(jsonb), privacy.check_identity(text, text, text, text, text, boolean, text),
  privacy.extend_request(text, text, text, integer, timestamptz, date, date, timestamptz, date, text), privacy.consult(text, text, text, date, text, text),
  privacy.set_request_cost(text, text, text, numeric, text), privacy.fulfil_request(text, text, text, timestamptz, date),
  privacy.refuse_request(text, text, text, text, boolean, timestamptz, date), privacy.withdraw_request(text, text, text) to nestsync_compliance;
grant execute on function ops.due_requests(interval) to nestsync_sre, nestsync_admin;

-- What the data map says of it ---------------------------------------------------------------------------------------

insert into privacy.subjects (subject, about, root_table, root_columns) values
  ('requester', 'whoever asks for somebody else, with or without an account', 'privacy.requests', '{requester_contact}'),
  ('request', 'whoever a request is about, an account or a child', 'privacy.requests', '{id}');
do $$
declare
  named constant text := 'may name somebody else; told in words on request (PIPEDA s. 9(1))';
  t text;
begin
  foreach t in array array['privacy.requests', 'privacy.request_steps'] loop
    perform privacy.declare_path(t, 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
    perform privacy.declare(t, 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability');
  end loop;
  perform privacy.declare_path('privacy.requests', 'self', 'direct', 'request', 'subject', 'id', 'privacy.requests', 'id');
  perform privacy.declare_path('privacy.requests', 'child', 'child', 'child', 'subject', 'child_id', 'public.children', 'id');
  perform privacy.declare_path('privacy.requests', 'contact', 'direct', 'contact', 'subject', 'contact_id', 'public.emergency_profiles', 'id');
  perform privacy.declare_path('privacy.requests', 'address', 'email', 'invitee', 'subject', 'email', 'public.family_invitations', 'email', 'lower');
  perform privacy.declare_path('privacy.requests', 'account', 'email', 'account', 'subject', 'email', 'public.users', 'email', 'lower');
  perform privacy.declare_path('privacy.requests', 'asker', 'author', 'author', 'joint', 'requester_user', 'public.users', 'id');
  perform privacy.declare_path('privacy.requests', 'requester', 'direct', 'requester', 'subject', 'requester_contact', 'privacy.requests', 'requester_contact', 'lower');
  perform privacy.declare_path('privacy.requests', 'duplicate', 'link', null, null, 'duplicate_of', 'privacy.requests', 'id');
  perform privacy.declare_path('privacy.request_steps', 'request', 'direct', 'request', 'subject', 'request_id', 'privacy.requests', 'id');
  perform privacy.declare_path('privacy.request_steps', 'child', 'child', 'child', 'subject', 'request_id', 'privacy.requests', 'id');

  perform privacy.declare('privacy.requests', 'child_id', 'subject', 'child', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.requests', 'contact_id', 'other', 'contact', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.requests', 'email', 'other', 'invitee', 'contact', 'provided', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.requests', 'requester_name', 'other', 'requester', 'identity', 'provided', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.requests', 'requester_contact', 'other', 'requester', 'contact', 'provided', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.requests', 'requester_user', 'joint', 'author', 'authorship', 'observed', 'rights', 'audit', 'keep', 'accountability');
  -- In the words of whoever asks: those of one guardian are not the other's, though both ask for the child.
  perform privacy.declare('privacy.requests', 'asks', 'subject', 'account', 'communication', 'provided', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.requests', 'regime kind subject_kind requester channel dated_on received_at zone language', 'subject', 'request', 'communication', 'provided', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.requests', 'id number duplicate_of opened_at state state_reason limit_on due_on due_before extended_days conversion_days recourse_until identity_verified_at cost_estimate cost_accepted_at answered_at',
    'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.request_steps', 'id request_id number step at duty state state_reason took_place_on ground days limit_on notice_at method document authority passed party answer amount recourse_told',
    'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.request_steps', 'told', 'subject', 'account', 'communication', 'observed', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.request_steps', 'reason', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', withheld => named);
  perform privacy.declare('privacy.request_steps', 'ticket', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', withheld => 'leads into a system of staff');
  perform privacy.declare('privacy.requests', 'opened_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.request_steps', 'by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare_path('privacy.requests', 'by_opened_by', 'direct', 'operator', 'subject', 'opened_by', 'ops.operators', 'login');
  perform privacy.declare_path('privacy.request_steps', 'by_by', 'direct', 'operator', 'subject', 'by', 'ops.operators', 'login');
end $$;
