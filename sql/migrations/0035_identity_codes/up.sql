-- kind: schema
-- locks: ACCESS EXCLUSIVE on privacy.request_steps, for a moment
-- transaction: yes
-- reversible: yes, where no code was ever issued
-- seeds: audit.captured_tables, privacy.paths, privacy.column_answers

-- A code by e-mail shows that whoever asks reads the mailbox that is on record. The console makes the code and sends it; here is
-- only what tells the right one: SHA-256 of a slow key (scrypt) of it and the salt. Nobody but the owner reads even that, since
-- eight digits are soon tried. What nobody can prevent here: an officer who sends themselves a code, as one who attests what was
-- never seen. Who sent and who entered it is on record, and the id of the code is the Message-ID in the log of the mail server.

create table privacy.identity_codes (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references privacy.requests (id),
  user_id uuid,
  account_id uuid,
  salt bytea not null,
  verifier bytea,
  issued_at timestamptz not null default clock_timestamp(),
  issued_by text not null default session_user,
  issued_xid xid8 not null default pg_current_xact_id(),
  expires_at timestamptz not null,
  sending text,
  ended text,
  constraint identity_codes_salt check (octet_length(salt) = 16),
  constraint identity_codes_verifier check (octet_length(verifier) = 32 and (verifier is null) = (ended is not null)),
  constraint identity_codes_lifetime check (expires_at between issued_at + interval '5 minutes' and issued_at + interval '24 hours'),
  constraint identity_codes_sending check (sending in ('sent', 'not_sent', 'unknown')),
  constraint identity_codes_ended check (ended in ('replaced', 'not_sent', 'used') and (sending is distinct from 'not_sent' or ended is not null))
);
create unique index identity_codes_live_idx on privacy.identity_codes (request_id) where ended is null;
create index identity_codes_request_idx on privacy.identity_codes (request_id, issued_at desc);
create index identity_codes_user_idx on privacy.identity_codes (user_id) where user_id is not null;
comment on table privacy.identity_codes is 'Codes that were sent by e-mail to verify who asks; one at a time for a request. Read by nobody but the owner: what officers see are the steps of the request and privacy.identity_code.';
comment on column privacy.identity_codes.user_id is 'The subject of the request, where it has an account.';
comment on column privacy.identity_codes.account_id is 'The account whose address of record it goes to; null: the address that the request is about.';
comment on column privacy.identity_codes.verifier is 'SHA-256 of the scrypt key of the code with the salt; null once it opens nothing any more.';
comment on column privacy.identity_codes.sending is 'What became of the letter; null: not on record, and so not known.';
comment on column privacy.identity_codes.ended is 'Why it opens nothing any more, though it may not have expired: another was sent, it was not sent at all, or it was used.';

create table privacy.code_entries (
  id uuid primary key default gen_random_uuid(),
  code_id uuid not null references privacy.identity_codes (id),
  request_id uuid not null references privacy.requests (id),
  user_id uuid,
  digest bytea,
  entered_at timestamptz not null default clock_timestamp(),
  entered_by text not null default session_user,
  entered_xid xid8 not null default pg_current_xact_id(),
  passed boolean,
  constraint code_entries_digest check (octet_length(digest) = 32 and (digest is null) = (passed is not null))
);
create index code_entries_code_idx on privacy.code_entries (code_id);
create index code_entries_request_idx on privacy.code_entries (request_id, entered_at desc);
create index code_entries_user_idx on privacy.code_entries (user_id) where user_id is not null;
comment on table privacy.code_entries is 'Codes as they were entered. An entry is committed before a later transaction says whether it is right, so that no rollback and no kill takes an attempt back.';
comment on column privacy.code_entries.user_id is 'The subject of the request, where it has an account.';
comment on column privacy.code_entries.digest is 'As the verifier of the code; null once it was judged.';
comment on column privacy.code_entries.passed is 'Whether it was right; null: not judged, and so counted as a failed attempt.';

create trigger identity_codes_no_delete before delete on privacy.identity_codes for each row execute function private.refuse_delete();
create trigger identity_codes_no_truncate before truncate on privacy.identity_codes execute function private.refuse_truncate();
create trigger code_entries_no_delete before delete on privacy.code_entries for each row execute function private.refuse_delete();
create trigger code_entries_no_truncate before truncate on privacy.code_entries execute function private.refuse_truncate();

alter table privacy.request_steps add column trouble text;
alter table privacy.request_steps
  drop constraint request_steps_step,
  drop constraint request_steps_identity,
  -- squawk-ignore constraint-missing-not-valid
  add constraint request_steps_step check (step in ('opened', 'identity_checked', 'extended', 'consulted', 'cost_told', 'cost_accepted', 'cost_waived', 'amended', 'annotated', 'notified',
    'code_issued', 'code_sent', 'code_not_sent', 'code_unsure', 'fulfilled', 'denied', 'revoked')),
  -- squawk-ignore constraint-missing-not-valid
  add constraint request_steps_identity check (num_nonnulls(method, passed) = case step when 'identity_checked' then 2 else 0 end
    and method in ('document', 'signed_in', 'known_facts', 'email_code')
    and (document is not null) = coalesce(method = 'document', false)
    and document in ('passport', 'drivers_licence', 'provincial_card', 'permanent_resident_card', 'birth_certificate', 'other')
    and authority in ('guardian_of_record', 'court_order', 'birth_certificate', 'mandate')),
  -- squawk-ignore constraint-missing-not-valid
  add constraint request_steps_trouble check ((step = 'code_not_sent') = (trouble is not null) and trouble ~ '^[a-z_]{1,60}$');
comment on column privacy.request_steps.trouble is 'Why a code could not be sent: the code of the error.';
select audit.attach('privacy.request_steps', 'modification', person => 'user_id');

-- What may be attempted ---------------------------------------------------------------------------------------------

create or replace function private.identity_attempts(request uuid) returns bigint
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select (select count(*) from privacy.request_steps x where x.request_id = request and not x.passed and x.at > clock_timestamp() - interval '24 hours')
    + (select count(*) from privacy.code_entries e where e.request_id = request and e.passed is null and e.entered_at > clock_timestamp() - interval '24 hours');
end;
comment on function private.identity_attempts(uuid) is 'Attempts to verify who asks that failed within 24 hours, and those that nobody has judged.';

create or replace function privacy.check_identity(number text, seen text, method text, document text, authority text, passed boolean, remark text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
begin
  if method = 'email_code' then
    perform private.fail('NS007', 'a code is entered, not attested', format('nestctl request verify-identity %s --method email_code', r.number));
  end if;
  perform private.refuse_verified(r);
  if passed then
    perform private.require_authority(r, authority);
  end if;
  perform private.refuse_document_number(remark), private.refuse_another_attempt(r);
  perform private.take_identity_step(r, method, document, authority, passed, remark);
end $$;

-- Where a code goes --------------------------------------------------------------------------------------------------

create function private.code_address(r privacy.requests, out account uuid, out email text, out why_not text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  u public.users;
begin
  account := case r.requester when 'self' then r.user_id else r.requester_user end;
  if account is null then
    email := case when r.requester = 'self' and r.subject_kind = 'address' then r.email end;
    why_not := case when email is null then 'no_address' end;
    return;
  end if;
  select x.* into u from public.users x where x.id = account and x.deleted_at is null;
  if not found then
    why_not := 'no_address';
  elsif u.email_verified_at is null then
    why_not := 'unverified';
  elsif exists (
    select from audit.events e
    where e.subject_user = account and e.table_name = 'public.users' and e.operation = 'UPDATE' and 'email' = any (e.changed_columns)
      and e.occurred_at > r.received_at - interval '30 days')
  then
    -- Whoever took an account over changes its address first.
    why_not := 'changed';
  else
    email := u.email;
  end if;
end $$;
comment on function private.code_address(privacy.requests) is
  'The address of record of whoever asks: of their account, or the one that the request is about; never one that was given with the request. why_not: no_address, unverified (nobody has shown that it is theirs), changed (since, or within 30 days before the request came in).';

create function private.codes_left(request uuid) returns bigint
  language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
  select greatest(0, 5 - count(*)) from privacy.identity_codes c
  where c.request_id = request and c.sending is distinct from 'not_sent' and c.issued_at > clock_timestamp() - interval '24 hours';
end;

create function privacy.identity_code(number text)
  returns table (goes_to text, account uuid, why_not text, current uuid, salt bytea, issued_at timestamptz, issued_by text, expires_at timestamptz, sending text,
    codes_left bigint, attempts_left bigint)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not coalesce(private.session_duty() in ('compliance', 'auditor'), false) then
    perform private.fail('NS004', 'requests are the business of the duties compliance and auditor');
  end if;
  return query
    select case when a.why_not is not null then null when a.account is null then 'address' else 'account' end, a.account, a.why_not,
      c.id, c.salt, c.issued_at, c.issued_by, c.expires_at, c.sending, private.codes_left(r.id), greatest(0, 3 - private.identity_attempts(r.id))
    from privacy.requests r cross join lateral private.code_address(r) a left join privacy.identity_codes c on c.request_id = r.id and c.ended is null
    where r.number = identity_code.number;
end $$;
comment on function privacy.identity_code(text) is
  'Where a code for a request would go, or why none can (private.code_address); the one that was sent last and not used or replaced, with when it expires and what is known of its sending; how many more can be sent and tried within 24 hours. Never the address.';

-- Sending -------------------------------------------------------------------------------------------------------------

create function privacy.issue_identity_code(number text, seen text, replaces uuid, salt bytea, verifier bytea, lifetime interval) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  s privacy.request_steps;
  a record;
  begun constant timestamptz := clock_timestamp();
  the_code uuid;
begin
  perform private.refuse_verified(r), private.refuse_another_attempt(r);
  select * into a from private.code_address(r);
  if a.why_not is not null then
    perform private.fail('NS005', format('no code can be sent to whoever asks: %s', case a.why_not
        when 'unverified' then 'nobody has ever shown that the address of the account is theirs'
        when 'changed' then 'the address of the account was changed since the request came in, or within 30 days before'
        else 'no address of theirs is on record' end), format('nestctl request verify-identity %s', r.number));
  end if;
  if (select c.id from privacy.identity_codes c where c.request_id = r.id and c.ended is null) is distinct from replaces then
    perform private.fail('NS005', 'another code was issued or used meanwhile', format('nestctl request show %s', r.number));
  end if;
  if private.codes_left(r.id) = 0 then
    perform private.fail('NS003', 'five codes were sent within 24 hours: the next is tomorrow', 'Look for the letters that were sent, or verify in another way.');
  end if;
  if lifetime is null or lifetime not between interval '5 minutes' and interval '24 hours' then
    perform private.fail('NS007', 'a code is good for 5 minutes at least, and 24 hours at most');
  end if;
  update privacy.identity_codes c set ended = 'replaced', verifier = null where c.request_id = r.id and c.ended is null;
  insert into privacy.identity_codes (request_id, user_id, account_id, salt, verifier, issued_at, issued_by, issued_xid, expires_at)
  values (r.id, r.user_id, a.account, salt, verifier, begun, session_user, pg_current_xact_id(), begun + lifetime)
  returning id into the_code;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'code_issued';
  perform private.take_request_step(r, s);
  return the_code;
end $$;
comment on function privacy.issue_identity_code(text, text, uuid, bytea, bytea, interval) is
  'Records a code before it is sent: salt, and the SHA-256 of its scrypt key. It replaces the one that is named, and is the only one from then on. Five within 24 hours are the most.';

create function privacy.identity_code_address(code uuid) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  a record;
begin
  perform private.require_request_duty();
  select q.* into r from privacy.identity_codes c join privacy.requests q on q.id = c.request_id
  where c.id = code and c.issued_by = session_user and c.ended is null and c.sending is null and c.issued_at > clock_timestamp() - interval '2 minutes'
    and c.issued_xid is distinct from pg_current_xact_id_if_assigned();
  if not found then
    perform private.fail('NS002', 'no committed code of yours waits to be sent', 'nestctl request send-code --help');
  end if;
  select * into a from private.code_address(r);
  return a.email;
end $$;
comment on function privacy.identity_code_address(uuid) is 'Where a code is to be sent, for whoever has issued it, once that is committed: so that no rollback hides who learned an address.';

create function privacy.record_code_sending(code uuid, sending text, trouble text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  c privacy.identity_codes;
  s privacy.request_steps;
begin
  r := private.lock_request((select q.number from privacy.identity_codes x join privacy.requests q on q.id = x.request_id where x.id = code));
  select x.* into c from privacy.identity_codes x where x.id = code and x.issued_by = session_user and x.sending is null;
  if not found or record_code_sending.sending is null then
    perform private.fail('NS005', 'what became of this code is on record already, or it is not yours', format('nestctl request show %s', r.number));
  end if;
  update privacy.identity_codes x
  set sending = record_code_sending.sending,
    ended = case when record_code_sending.sending = 'not_sent' then coalesce(x.ended, 'not_sent') else x.ended end,
    verifier = case when record_code_sending.sending = 'not_sent' then null else x.verifier end
  where x.id = code;
  -- Where somebody has ended the request meanwhile, it takes no step any more.
  if r.state not in ('fulfilled', 'denied', 'revoked') then
    select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
    s.step := case record_code_sending.sending when 'sent' then 'code_sent' when 'not_sent' then 'code_not_sent' else 'code_unsure' end;
    s.trouble := record_code_sending.trouble;
    perform private.take_request_step(r, s);
  end if;
end $$;
comment on function privacy.record_code_sending(uuid, text, text) is
  'Records what became of the letter with a code: sent, not_sent (the code is void, and trouble says why) or unknown (it may arrive, so the code stays good).';

-- Entering --------------------------------------------------------------------------------------------------------------

create function privacy.enter_identity_code(number text, seen text, key bytea, authority text, remark text) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_change(number, seen);
  c privacy.identity_codes;
  the_entry uuid;
begin
  perform private.refuse_verified(r), private.require_authority(r, authority), private.refuse_document_number(remark);
  if octet_length(key) is distinct from 32 then
    perform private.fail('NS007', 'what is entered is the scrypt key of a code, 32 bytes');
  end if;
  select x.* into c from privacy.identity_codes x where x.request_id = r.id and x.ended is null;
  if not found then
    perform private.fail('NS005', 'no code was sent that is still good', format('nestctl request send-code %s', r.number));
  end if;
  -- The console was killed before it was judged: it goes on with that one.
  select e.id into the_entry from privacy.code_entries e
  where e.code_id = c.id and e.passed is null and e.entered_by = session_user and e.digest = sha256(key) limit 1;
  if found then
    return the_entry;
  end if;
  if c.expires_at <= clock_timestamp() then
    perform private.fail('NS005', 'the code has expired', format('nestctl request send-code %s', r.number));
  end if;
  perform private.refuse_another_attempt(r);
  insert into privacy.code_entries (code_id, request_id, user_id, digest, entered_by, entered_xid)
  values (c.id, r.id, r.user_id, sha256(key), session_user, pg_current_xact_id())
  returning id into the_entry;
  return the_entry;
end $$;
comment on function privacy.enter_identity_code(text, text, bytea, text, text) is
  'Records that a code was entered, by its scrypt key, and says nothing of whether it is right: commit, then privacy.judge_identity_code. It counts as a failed attempt until it is judged.';

create function privacy.judge_identity_code(entry uuid, authority text, remark text) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  e privacy.code_entries;
  correct boolean;
begin
  r := private.lock_request((select q.number from privacy.code_entries x join privacy.requests q on q.id = x.request_id where x.id = entry));
  select x.* into e from privacy.code_entries x
  where x.id = entry and x.entered_by = session_user and x.entered_xid is distinct from pg_current_xact_id_if_assigned();
  if not found then
    perform private.fail('NS002', 'no committed entry of yours answers to this id', 'Enter the code and commit before it is judged.');
  end if;
  if e.passed is not null then
    return e.passed;
  end if;
  if r.state in ('fulfilled', 'denied', 'revoked') then
    perform private.fail('NS005', format('request %s has ended: it is %s', r.number, r.state), format('nestctl request show %s', r.number));
  end if;
  perform private.refuse_verified(r), private.require_authority(r, authority), private.refuse_document_number(remark);
  correct := coalesce((select c.verifier = e.digest from privacy.identity_codes c where c.id = e.code_id), false);
  update privacy.code_entries x set passed = correct, digest = null where x.id = e.id;
  if correct then
    update privacy.identity_codes c set ended = 'used', verifier = null where c.id = e.code_id;
  end if;
  perform private.take_identity_step(r, 'email_code', null, authority, correct, remark);
  return correct;
end $$;
comment on function privacy.judge_identity_code(uuid, text, text) is
  'Whether an entry that an earlier transaction has committed is the code; recorded as an identity check by email_code. Rolled back and asked again it says the same, and the entry counts.';

-- Who does what -----------------------------------------------------------------------------------------------------------

do $$
declare
  t text;
begin
  foreach t in array array['identity_codes', 'code_entries'] loop
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
  end loop;
end $$;
select audit.attach('privacy.identity_codes', 'modification', person => 'user_id', redacted => '{salt,verifier}');
select audit.attach('privacy.code_entries', 'modification', person => 'user_id', redacted => '{digest}');

revoke execute on all functions in schema privacy, private, audit from public;
grant execute on function privacy.identity_code(text) to nestsync_compliance, nestsync_auditor;
grant execute on function privacy.issue_identity_code(text, text, uuid, bytea, bytea, interval), privacy.identity_code_address(uuid),
  privacy.record_code_sending(uuid, text, text), privacy.enter_identity_code(text, text, bytea, text, text),
  privacy.judge_identity_code(uuid, text, text) to nestsync_compliance;

-- What the data map says of it --------------------------------------------------------------------------------------------

do $$
declare
  t text;
begin
  foreach t in array array['privacy.identity_codes', 'privacy.code_entries'] loop
    perform privacy.declare_path(t, 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
    perform privacy.declare_path(t, 'request', 'direct', 'request', 'subject', 'request_id', 'privacy.requests', 'id');
    perform privacy.declare(t, 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability');
  end loop;
  perform privacy.declare_path('privacy.identity_codes', 'asker', 'author', 'author', 'joint', 'account_id', 'public.users', 'id');
  perform privacy.declare_path('privacy.identity_codes', 'by_issued_by', 'direct', 'operator', 'subject', 'issued_by', 'ops.operators', 'login');
  perform privacy.declare_path('privacy.code_entries', 'code', 'link', null, null, 'code_id', 'privacy.identity_codes', 'id');
  perform privacy.declare_path('privacy.code_entries', 'by_entered_by', 'direct', 'operator', 'subject', 'entered_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.identity_codes', 'account_id', 'joint', 'author', 'authorship', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.identity_codes', 'id request_id issued_at expires_at sending ended', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.code_entries', 'id request_id entered_at passed', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.identity_codes', 'issued_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.code_entries', 'entered_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.request_steps', 'trouble', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare_operational('privacy.identity_codes', 'salt verifier issued_xid', 'rights', 'audit');
  perform privacy.declare_operational('privacy.code_entries', 'code_id digest entered_xid', 'rights', 'audit');
end $$;
