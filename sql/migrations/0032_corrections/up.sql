-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nothing was ever corrected
-- seeds: privacy.recipients, privacy.recipient_columns, ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- Corrections: what is wrong is amended, what stays is annotated with what the person says, and whoever has it from us is
-- told (PIPEDA principles 4.9.5 and 4.9.6; P-39.1 s. 28 and Civil Code of Québec arts. 38 and 40). -----------------------

create table privacy.recipients (
  recipient text primary key,
  about text not null
);
comment on table privacy.recipients is 'Kinds of organizations that get personal data from us to do their work for us.';
create table privacy.recipient_columns (
  recipient text not null references privacy.recipients (recipient),
  table_name text not null,
  column_name text not null,
  primary key (table_name, column_name, recipient),
  constraint recipient_columns_answer_fkey foreign key (table_name, column_name) references privacy.column_answers (table_name, column_name)
);
create index recipient_columns_recipient_idx on privacy.recipient_columns (recipient);
comment on table privacy.recipient_columns is 'Which columns they get: who is told when one is corrected. Changes only by migration.';
insert into privacy.recipients (recipient, about) values
  ('payments', 'the processor that charges for subscriptions'),
  ('email', 'the sender of e-mail'),
  ('sms', 'the sender of text messages'),
  ('push', 'the push services of telephones');
insert into privacy.recipient_columns (recipient, table_name, column_name) values
  ('payments', 'public.users', 'email'), ('payments', 'public.users', 'first_name'), ('payments', 'public.users', 'last_name'),
  ('payments', 'public.users', 'postal_code'), ('payments', 'public.subscriptions', 'province'),
  ('email', 'public.users', 'email'), ('email', 'public.users', 'display_name'), ('email', 'public.family_invitations', 'email'),
  ('sms', 'public.users', 'phone_number'),
  ('push', 'public.notification_preferences', 'device_tokens'), ('push', 'public.notification_logs', 'title'), ('push', 'public.notification_logs', 'message');

create table privacy.corrections (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references privacy.requests (id),
  user_id uuid,
  table_name text not null,
  row_id uuid not null,
  column_name text not null,
  outcome text not null,
  note text,
  recipients text[] not null default '{}',
  made_at timestamptz not null default clock_timestamp(),
  made_by text not null default session_user,
  reason text,
  ticket text,
  constraint corrections_outcome check (outcome in ('amended', 'annotated'))
);
create index corrections_request_idx on privacy.corrections (request_id);
create index corrections_user_idx on privacy.corrections (user_id) where user_id is not null;
create index corrections_row_idx on privacy.corrections (table_name, row_id);
comment on table privacy.corrections is 'What was corrected on a request, or stays with what the person says against it. The values themselves are in the row and in the audit log.';
comment on column privacy.corrections.user_id is 'The subject of the request, where it has an account.';
comment on column privacy.corrections.note is 'What the person says, in their words; of an annotation always, until they are erased.';
comment on column privacy.corrections.recipients is 'Who has the value from us, and is told or is on record as not to be.';

create table privacy.correction_notices (
  id uuid primary key default gen_random_uuid(),
  request_id uuid not null references privacy.requests (id),
  user_id uuid,
  recipient text not null,
  told_on date,
  why_not text,
  recorded_at timestamptz not null default clock_timestamp(),
  recorded_by text not null default session_user,
  reason text,
  ticket text,
  unique (request_id, recipient),
  constraint correction_notices_told check (told_on is null or why_not is null)
);
create index correction_notices_user_idx on privacy.correction_notices (user_id) where user_id is not null;
comment on table privacy.correction_notices is 'That somebody who has the data from us was told of its correction, or why that was not appropriate.';

create function private.guard_correction() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  words constant text[] := '{note,why_not,reason,ticket}';
begin
  if to_jsonb(new) - words <> to_jsonb(old) - words or not private.only_taken_out(to_jsonb(old), to_jsonb(new), words) then
    perform private.fail('NS005', 'what was corrected is on record and never changes');
  end if;
  return new;
end $$;
comment on function private.guard_correction() is 'Of what was corrected nothing changes but that words are taken out when the person is erased.';
do $$
declare
  t text;
begin
  foreach t in array array['corrections', 'correction_notices'] loop
    execute format('create trigger %I before update on privacy.%I for each row execute function private.guard_correction()', t || '_guard', t);
    execute format('create trigger %I before delete on privacy.%I for each row execute function private.refuse_delete()', t || '_no_delete', t);
    execute format('create trigger %I before truncate on privacy.%I execute function private.refuse_truncate()', t || '_no_truncate', t);
  end loop;
end $$;
create trigger recipients_by_migration before insert or update or delete or truncate on privacy.recipients execute function private.only_by_migration();
create trigger recipient_columns_by_migration before insert or update or delete or truncate on privacy.recipient_columns execute function private.only_by_migration();

-- What may be corrected -----------------------------------------------------------------------------------------------------

create function private.correctable(r privacy.requests, table_name text, row_id uuid, column_name text, out spelled text, out was text, out recipients text[])
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  c record;
  the_subject constant text := case r.subject_kind when 'user' then 'account' when 'child' then 'child' when 'contact' then 'contact' end;
  family constant uuid := coalesce((select x.family_id from public.children x where x.id = r.child_id), (select x.family_id from public.emergency_profiles x where x.id = r.contact_id));
  roots constant text[] := case r.subject_kind when 'user' then array[r.user_id::text] when 'child' then array[family::text, r.child_id::text] else array[r.contact_id::text] end;
  theirs text;
  found_rows bigint;
begin
  if the_subject is null then
    perform private.fail('NS005', 'the subject has neither account nor row here: there is nothing of theirs to correct', format('nestctl request show %s', r.number));
  end if;
  if not coalesce(case when the_subject = 'account' then r.user_id = any (private.subject_users()) else family = any (private.granted_families()) end, false) then
    perform private.fail('NS002', 'no live access grant of yours is for whom this request is about', case the_subject when 'account'
      then format('nestctl access open --user %s --reason "…" --ticket …', r.user_id) else format('nestctl access open --family %s --reason "…" --ticket …', family) end);
  end if;
  select x.*, a.attgenerated, exists (select from pg_catalog.pg_attribute i where i.attrelid = a.attrelid and i.attname = 'id' and i.atttypid = 'uuid'::regtype) as has_id,
    exists (select from pg_catalog.pg_depend d join pg_catalog.pg_index i on i.indexrelid = d.objid
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and i.indisunique)
      or exists (select from pg_catalog.pg_constraint k where k.conrelid = a.attrelid and k.contype = 'f' and a.attnum = any (k.conkey)) as identifies
  into c
  from private.package_columns(table_name) x join pg_catalog.pg_attribute a on a.attrelid = to_regclass(table_name) and a.attname = x.column_name
  where x.column_name = correctable.column_name;
  if not found or not c.has_id then
    perform private.fail('NS006', format('there is no column %s.%s whose rows have an id', table_name, column_name), format('nestctl datamap show --table %s', table_name));
  end if;
  if c.whose <> 'subject' or c.subject <> the_subject or c.origin not in ('provided', 'reported', 'observed') then
    perform private.fail('NS005', format('%s.%s is not of this person, or nothing that anybody provided or saw', table_name, column_name),
      format('nestctl datamap explain %s.%s', table_name, column_name));
  elsif c.identifies or c.attgenerated <> '' then
    perform private.fail('NS005', format('%s.%s tells rows apart or is made of others, and is not corrected here', table_name, column_name), 'Note what the person says: --note');
  end if;
  select string_agg(format('(%s)', replace(replace(k.condition, '$1', format('%L::uuid', roots[1])), '$2', format('%L::uuid', roots[2]))), ' or ') into theirs
  from privacy.paths p, privacy.path_condition(p.table_name, p.path) as k (condition)
  where p.table_name = correctable.table_name and p.subject = the_subject and p.whose = 'subject' and p.compares = 'equal' and k.condition is not null;
  execute format('select %I::text from %s where id = $1 and (%s) for update', column_name, table_name, coalesce(theirs, 'false')) into was using row_id;
  get diagnostics found_rows = row_count;
  if found_rows <> 1 then
    perform private.fail('NS006', format('no row %s of %s is of this person', row_id, table_name), format('nestctl request show %s', r.number));
  end if;
  spelled := c.spelled;
  recipients := array(
    select x.recipient from privacy.recipient_columns x where x.table_name = correctable.table_name and x.column_name = correctable.column_name
    union
    select unnest(n.third_parties) from public.consent_records n where n.user_id = r.user_id and n.status = 'granted' and c.category = any (n.data_categories)
    order by 1);
end $$;
comment on function private.correctable(privacy.requests, text, uuid, text) is
  'The column of a row of the subject of a request, locked, with its type, its value and who has it from us. Raises unless the data map says that it is theirs, and a live grant is for them.';

create function private.request_to_correct(number text, seen text) returns privacy.requests
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r constant privacy.requests := private.request_to_change(number, seen);
begin
  if r.kind <> 'correction' then
    perform private.fail('NS005', format('request %s asks for %s, not for a correction', r.number, replace(r.kind, '_', ' ')), format('nestctl request show %s', r.number));
  elsif r.identity_verified_at is null then
    perform private.fail('NS005', 'nothing is corrected before the identity is verified', format('nestctl request verify-identity %s', r.number));
  end if;
  return r;
end $$;

-- Operations ------------------------------------------------------------------------------------------------------------------

create function privacy.plan_correction(number text, seen text, table_name text, row_id uuid, column_name text, value text)
  returns table (was text, becomes text, recipients text[])
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r constant privacy.requests := private.request_to_correct(number, seen);
  c constant record := private.correctable(r, table_name, row_id, column_name);
begin
  was := c.was;
  recipients := c.recipients;
  begin
    execute format('select $1::%s::text', c.spelled) into becomes using value;
  exception when data_exception or check_violation or datatype_mismatch then
    perform private.fail('NS007', format('that is no value of %s.%s: it is %s', table_name, column_name, c.spelled));
  end;
  return next;
end $$;
comment on function privacy.plan_correction(text, text, text, uuid, text, text) is 'What a correction would change, and who has to be told of it; changes nothing.';

create function privacy.correct(number text, seen text, table_name text, row_id uuid, column_name text, outcome text, was text, value text, note text) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_correct(number, seen);
  c constant record := private.correctable(r, table_name, row_id, column_name);
  s privacy.request_steps;
  the_correction uuid;
begin
  if outcome = 'annotated' and coalesce(btrim(note), '') = '' then
    perform private.fail('NS007', 'an annotation says what the person says');
  end if;
  perform private.refuse_stale('value', was, c.was);
  if outcome = 'amended' then
    if value is not distinct from was then
      perform private.fail('NS007', 'that is what stands there already');
    end if;
    begin
      execute format('update %s set %I = $1::%s where id = $2', table_name, column_name, c.spelled) using value, row_id;
    exception when data_exception or integrity_constraint_violation or datatype_mismatch then
      perform private.fail('NS007', format('%s.%s does not take that value', table_name, column_name));
    end;
  end if;
  insert into privacy.corrections (request_id, user_id, table_name, row_id, column_name, outcome, note, recipients, reason, ticket)
  values (r.id, r.user_id, table_name, row_id, column_name, outcome, note, c.recipients, btrim(current_setting('nestsync.reason', true)),
    nullif(btrim(current_setting('nestsync.ticket', true)), ''))
  returning id into the_correction;
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := outcome;
  s.told := note;
  perform private.take_request_step(r, s);
  return the_correction;
end $$;
comment on function privacy.correct(text, text, text, uuid, text, text, text, text, text) is
  'Amends a value of the subject of a verified request for correction, or notes what they say against one that stays. Raises where it is not what was shown.';

create function private.recipients_untold(r privacy.requests) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return array(
    select distinct u.recipient from privacy.corrections c, unnest(c.recipients) u (recipient) where c.request_id = r.id
    except
    select n.recipient from privacy.correction_notices n where n.request_id = r.id
    order by 1);

create function privacy.notify_recipient(number text, seen text, recipient text, told_on date, why_not text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests := private.request_to_correct(number, seen);
  s privacy.request_steps;
begin
  if num_nonnulls(told_on, nullif(btrim(why_not), '')) <> 1 then
    perform private.fail('NS007', 'a recipient was told on a day, or there is a reason why not');
  elsif told_on > (clock_timestamp() at time zone r.zone)::date or told_on < (r.received_at at time zone r.zone)::date then
    perform private.fail('NS007', 'whom it concerns is told between the receipt of the request and today');
  elsif recipient <> all (private.recipients_untold(r)) then
    perform private.fail('NS005', format('%s is none of those who wait to be told', recipient), format('nestctl request show %s', r.number));
  end if;
  insert into privacy.correction_notices (request_id, user_id, recipient, told_on, why_not, reason, ticket)
  values (r.id, r.user_id, recipient, told_on, nullif(btrim(why_not), ''), btrim(current_setting('nestsync.reason', true)), nullif(btrim(current_setting('nestsync.ticket', true)), ''));
  select g.* into r.state, r.state_reason from private.request_goes_on(r) g;
  s.step := 'notified';
  s.told := why_not;
  perform private.take_request_step(r, s);
end $$;
comment on function privacy.notify_recipient(text, text, text, date, text) is 'Records that a recipient was told of a correction or a disagreement, or why that is not appropriate.';

create function private.refuse_uncorrected() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  untold text[];
begin
  select q.* into r from privacy.requests q where q.id = new.request_id;
  if r.kind <> 'correction' or new.step <> 'fulfilled' then
    return new;
  end if;
  untold := private.recipients_untold(r);
  if not exists (select from privacy.corrections c where c.request_id = r.id) then
    perform private.fail('NS005', 'nothing was corrected or noted yet', format('nestctl request correct %s', r.number));
  elsif cardinality(untold) > 0 then
    perform private.fail('NS005', format('%s must be told of it first', array_to_string(untold, ' and ')), format('nestctl request notify %s --recipient %s', r.number, untold[1]));
  end if;
  return new;
end $$;
comment on function private.refuse_uncorrected() is 'A request for correction is fulfilled once something was amended or noted and whoever has it from us was told.';
create trigger request_steps_corrected before insert on privacy.request_steps for each row execute function private.refuse_uncorrected();

-- Who sees and does what --------------------------------------------------------------------------------------------------------

do $$
declare
  t text;
begin
  foreach t in array array['recipients', 'recipient_columns', 'corrections', 'correction_notices'] loop
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_auditor using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_auditor', t);
  end loop;
end $$;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'corrections', 'select', 'always'), ('compliance', 'corrections', 'insert', 'subject grant'), ('compliance', 'correction_notices', 'select', 'always'),
  ('compliance', 'correction_notices', 'insert', 'always'), ('auditor', 'corrections', 'select', 'always'), ('auditor', 'correction_notices', 'select', 'always'),
  ('compliance', 'recipients', 'select', 'always'), ('auditor', 'recipients', 'select', 'always'),
  ('compliance', 'recipient_columns', 'select', 'always'), ('auditor', 'recipient_columns', 'select', 'always');
select audit.attach('privacy.corrections', 'modification', person => 'user_id'), audit.attach('privacy.correction_notices', 'modification', person => 'user_id');

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.plan_correction(text, text, text, uuid, text, text), privacy.correct(text, text, text, uuid, text, text, text, text, text),
  privacy.notify_recipient(text, text, text, date, text) to nestsync_compliance;

-- What the data map says of it ----------------------------------------------------------------------------------------------------

select privacy.declare_operational('privacy.recipients', 'recipient about', 'accountability', 'audit'),
  privacy.declare_operational('privacy.recipient_columns', 'recipient table_name column_name', 'accountability', 'audit'),
  privacy.declare_path('privacy.recipient_columns', 'recipient', 'link', null, null, 'recipient', 'privacy.recipients', 'recipient'),
  privacy.declare_path('privacy.recipient_columns', 'answer', 'link', null, null, 'table_name column_name', 'privacy.column_answers', 'table_name column_name');
do $$
declare
  t text;
begin
  foreach t in array array['privacy.corrections', 'privacy.correction_notices'] loop
    perform privacy.declare_path(t, 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
    perform privacy.declare_path(t, 'request', 'direct', 'request', 'subject', 'request_id', 'privacy.requests', 'id');
    perform privacy.declare(t, 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability');
    perform privacy.declare(t, 'reason', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize',
      withheld => 'may name somebody else; told in words on request (PIPEDA s. 9(1))');
    perform privacy.declare(t, 'ticket', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', withheld => 'leads into a system of staff');
  end loop;
  perform privacy.declare('privacy.corrections', 'id request_id table_name row_id column_name outcome recipients made_at', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.corrections', 'note', 'subject', 'account', 'communication', 'provided', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.corrections', 'made_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.correction_notices', 'id request_id recipient told_on recorded_at', 'subject', 'request', 'communication', 'observed', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('privacy.correction_notices', 'why_not', 'subject', 'account', 'communication', 'observed', 'rights', 'audit', 'anonymize');
  perform privacy.declare('privacy.correction_notices', 'recorded_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare_path('privacy.corrections', 'by_made_by', 'direct', 'operator', 'subject', 'made_by', 'ops.operators', 'login');
  perform privacy.declare_path('privacy.correction_notices', 'by_recorded_by', 'direct', 'operator', 'subject', 'recorded_by', 'ops.operators', 'login');
end $$;
