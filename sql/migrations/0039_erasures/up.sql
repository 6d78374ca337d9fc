-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on the tables of staff's records, briefly
-- transaction: yes
-- reversible: yes, where no erasure was ever scheduled
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- Erasing a person: scheduled under a second operator's approval of one plan, undone for thirty days, then run in batches, each
-- a transaction with its record. What a batch may do to a row is what the data map says of its columns, and nothing else.

create table privacy.erasures (
  id uuid primary key default gen_random_uuid(),
  request text not null,
  answers text references privacy.requests (number),
  replays uuid,
  person uuid not null,
  families uuid[] not null,
  ground text not null,
  plan jsonb not null,
  plan_hash text not null,
  catalogue text not null,
  approval_id uuid not null references ops.approvals (id),
  scheduled_at timestamptz not null default clock_timestamp(),
  scheduled_by text not null default session_user references ops.operators (login),
  due_at timestamptz not null,
  before jsonb not null,
  cancelled_at timestamptz,
  cancelled_by text references ops.operators (login),
  cancel_reason text,
  begun_at timestamptz,
  begun_by text references ops.operators (login),
  ledger text,
  erased_at timestamptz,
  proof jsonb,
  proven_at timestamptz,
  certificate text,
  certified_at timestamptz,
  closed_at timestamptz,
  constraint erasures_ground check (ground in ('consent_withdrawn', 'purpose_ended', 'unlawful', 'inaccurate')),
  constraint erasures_request check (answers is not distinct from case when replays is null then request end),
  constraint erasures_replays check (replays is null or ledger is not null),
  constraint erasures_due check (replays is not null or due_at >= scheduled_at + interval '30 days'),
  constraint erasures_cancelled check (num_nulls(cancelled_at, cancelled_by) in (0, 2) and (cancelled_at is null or begun_at is null)),
  constraint erasures_begun check (num_nulls(begun_at, begun_by) in (0, 2) and begun_at >= due_at and (ledger is null or begun_at is not null) and (erased_at is null or ledger is not null and erased_at >= begun_at)),
  constraint erasures_proven check ((proven_at is null or proof is not null and proven_at >= erased_at) and (proof is null or erased_at is not null)),
  constraint erasures_certified check (num_nulls(certificate, certified_at) in (0, 2) and (certificate is null or proven_at is not null)),
  constraint erasures_closed check (closed_at is null or proven_at is not null)
);
create unique index erasures_live_idx on privacy.erasures (person) where cancelled_at is null and erased_at is null;
create index erasures_request_idx on privacy.erasures (request);
create index erasures_answers_idx on privacy.erasures (answers) where answers is not null;
create index erasures_approval_idx on privacy.erasures (approval_id);
create index erasures_scheduled_by_idx on privacy.erasures (scheduled_by);
create index erasures_cancelled_by_idx on privacy.erasures (cancelled_by) where cancelled_by is not null;
create index erasures_begun_by_idx on privacy.erasures (begun_by) where begun_by is not null;
comment on table privacy.erasures is
  'Erasures of an account that answer a request: scheduled under an approval, cancelled within their thirty days or begun after them, and erased once no table holds what was to go.';
comment on column privacy.erasures.request is 'The number of the request that it answers, or the record of the ledger that it replays: erasures/7.';
comment on column privacy.erasures.replays is 'Of one that is run again after a restore: the id that the ledger has it under.';
comment on column privacy.erasures.families is 'Those that go with the person.';
comment on column privacy.erasures.ground is
  'PIPEDA has no bare right to erasure: consent_withdrawn (4.3.8), purpose_ended (4.5.3), unlawful or inaccurate (4.9.5; P-39.1 s. 28).';
comment on column privacy.erasures.plan is 'What it does to the rows of each table, as planned: no personal data but ids.';
comment on column privacy.erasures.plan_hash is 'As privacy.plan_erasure told it, and the approval was of.';
comment on column privacy.erasures.catalogue is 'What it relies on, as private.catalogue_digest told it: another at a batch refuses that.';
comment on column privacy.erasures.ledger is 'The signed record in the ledger that survives a restore, a DSSE envelope, written before the first row went.';
comment on column privacy.erasures.proof is 'What was found when it was looked for what is left, the last time: where, of which kind, never the value.';
comment on column privacy.erasures.proven_at is 'When nothing was left that has not been looked at.';
comment on column privacy.erasures.certificate is 'The last certificate, a DSSE envelope.';
comment on column privacy.erasures.closed_at is 'When archives and everybody outside had followed too: from then on nobody is found by it any more.';
comment on column privacy.erasures.before is 'What cancelling puts back: the status of the account and how it was notified.';

create table privacy.erasure_steps (
  erasure_id uuid not null references privacy.erasures (id),
  at integer not null,
  table_name text not null,
  rows_of text not null,
  does text not null,
  columns text[] not null default '{}',
  rows bigint not null default 0,
  last_key jsonb,
  done_at timestamptz,
  primary key (erasure_id, at),
  constraint erasure_steps_does check (does in ('delete', 'anonymize', 'sever', 'refresh')),
  constraint erasure_steps_rows check (rows >= 0)
);
comment on table privacy.erasure_steps is 'What an erasure does, in its order, and how far it has come: rows so far, over all runs.';
comment on column privacy.erasure_steps.last_key is 'Of the last row that was done, column by column as text: where the next batch goes on.';

create table privacy.erasure_batches (
  erasure_id uuid not null references privacy.erasures (id),
  number integer not null,
  at integer,
  rows bigint not null default 0,
  xid xid8 not null default pg_current_xact_id(),
  done_at timestamptz not null default clock_timestamp(),
  done_by text not null default session_user references ops.operators (login),
  primary key (erasure_id, number)
);
create unique index erasure_batches_xid_idx on privacy.erasure_batches (xid);
create index erasure_batches_done_by_idx on privacy.erasure_batches (done_by);
comment on table privacy.erasure_batches is 'The transactions of an erasure: in these alone the guards of records let go of what the data map says.';
comment on column privacy.erasure_batches.at is 'The step it worked at; null where it looked for what was left.';

create table privacy.erasure_identifiers (
  erasure_id uuid not null references privacy.erasures (id),
  names text not null,
  value text not null,
  primary key (erasure_id, names, value),
  constraint erasure_identifiers_names check (names in ('id', 'email', 'phone', 'name', 'child', 'device', 'stripe', 'reading'))
);
comment on table privacy.erasure_identifiers is
  'By what a person is found while they are erased, in small letters: kept until nothing of it is found any more. Never captured in the audit log.';

create table privacy.erasure_outside (
  erasure_id uuid not null references privacy.erasures (id),
  recipient text not null references privacy.recipients (recipient),
  outcome text,
  reference text,
  settled_at timestamptz,
  settled_by text references ops.operators (login),
  primary key (erasure_id, recipient),
  constraint erasure_outside_outcome check (outcome in ('erased', 'not_held', 'kept')),
  constraint erasure_outside_settled check (num_nulls(outcome, reference, settled_at, settled_by) in (0, 4))
);
create index erasure_outside_recipient_idx on privacy.erasure_outside (recipient);
create index erasure_outside_settled_by_idx on privacy.erasure_outside (settled_by) where settled_by is not null;
comment on table privacy.erasure_outside is 'Who else had data of the person from us, and what became of it there.';
comment on column privacy.erasure_outside.outcome is 'erased; not_held: they had nothing; kept: under an obligation of their own. Null: not settled.';
comment on column privacy.erasure_outside.reference is 'By what it can be looked up there, such as the number of their confirmation. No personal data.';

create function private.erasing() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return exists (select from privacy.erasure_batches b where b.xid = pg_current_xact_id_if_assigned());
comment on function private.erasing() is 'Whether this transaction is a batch of an erasure.';

-- Guards of records let a batch through, as far as the data map says ------------------------------------------------------------------

create function private.beyond_map(table_name text, was jsonb, becomes jsonb) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select string_agg(n.key, ', ' order by n.key) from jsonb_each(becomes) n
  where n.value is distinct from was -> n.key and not exists (
    select from privacy.column_answers a where a.table_name = beyond_map.table_name and a.column_name = n.key and a.erasure in ('anonymize', 'sever'));
end;
comment on function private.beyond_map(text, jsonb, jsonb) is 'The columns that differ and that the data map neither anonymizes nor severs; null where there are none.';

create function private.erase_by_map() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  t constant text := format('%I.%I', tg_table_schema, tg_table_name);
  beyond text;
begin
  if tg_op = 'DELETE' then
    if exists (select from privacy.column_answers a where a.table_name = t and a.erasure = 'delete') then
      return old;
    end if;
    perform private.fail('NS004', format('the data map deletes no row of %s', t), format('nestctl datamap show --table %s', t));
  end if;
  beyond := private.beyond_map(t, to_jsonb(old), to_jsonb(new));
  if beyond is not null then
    perform private.fail('NS004', format('the data map erases nothing in %s of %s', beyond, t), format('nestctl datamap show --table %s', t));
  end if;
  return new;
end $$;
comment on function private.erase_by_map() is 'Within a batch of an erasure: only rows and columns that the data map lets go.';

create or replace function private.refuse_key_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.erasing() and private.beyond_map(format('%I.%I', tg_table_schema, tg_table_name), to_jsonb(old), to_jsonb(new)) is null then
    return new;
  end if;
  perform private.fail('NS005', format('the key of a row of %I never changes, nor does its author', tg_table_name),
    'Insert the row under the new key and delete the old one.');
  return null;
end $$;

do $$
declare
  g record;
begin
  for g in
    select t.oid
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    -- Rows, before an update or a delete. Keys and authors have a guard that asks for itself.
    where not t.tgisinternal and n.nspname in ('ops', 'privacy', 'audit') and t.tgrelid <> 'audit.events'::regclass
      and t.tgtype & 3 = 3 and t.tgtype & 24 > 0 and t.tgqual is null
      and exists (select from privacy.column_answers a where to_regclass(a.table_name) = t.tgrelid and a.erasure in ('delete', 'anonymize', 'sever'))
  loop
    execute replace(replace(pg_get_triggerdef(g.oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), ' EXECUTE FUNCTION ', ' WHEN (not private.erasing()) EXECUTE FUNCTION ');
  end loop;
  for g in
    select distinct a.table_name from privacy.column_answers a join pg_catalog.pg_class c on c.oid = to_regclass(a.table_name)
    where a.table_name ~ '^(ops|privacy|audit)\.' and a.table_name <> 'audit.events' and a.erasure in ('delete', 'anonymize', 'sever') and c.relkind = 'r'
  loop
    execute format('create trigger erased_by_map before update or delete on %s for each row when (private.erasing()) execute function private.erase_by_map()', g.table_name);
  end loop;
end $$;

create or replace function private.keep_core_member() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (old.role = 'family_core' and old.status = 'active')
    or not exists (select from public.families f where f.id = old.family_id)
    or not exists (select from public.children c where c.family_id = old.family_id and c.deleted_at is null)
    -- What entered them is severed without their standing being touched.
    or tg_op = 'UPDATE' and (new.role, new.status, new.access_expires_at) is not distinct from (old.role, old.status, old.access_expires_at)
    -- Of a family that goes as a whole, bit by bit.
    or exists (select from privacy.erasure_batches b join privacy.erasures e on e.id = b.erasure_id
      -- After a restore nothing stands in the way of what was erased before; who has lost their last one is told.
      where b.xid = pg_current_xact_id_if_assigned() and (old.family_id = any (e.families) or e.replays is not null)) then
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

-- The plan, for whoever may ask for it ------------------------------------------------------------------------------------------------

create function private.plan_steps(person uuid, going uuid[], kin uuid[]) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(s.step order by t.table_name, s.at), '[]') from (
    select distinct a.table_name from privacy.column_answers a
    where a.whose <> 'operational' and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
    cross join lateral jsonb_array_elements(private.plan_table(t.table_name, person, going, kin)) with ordinality s (step, at);
end;
comment on function private.plan_steps(uuid, uuid[], uuid[]) is 'What erasing a person does to the rows of each table. going: families that go with them; kin: that stay.';

create function private.plan_outside(person uuid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('recipient', x.recipient, 'about', x.about, 'columns', x.columns) order by x.recipient), '[]') from (
    select p.recipient, p.about, jsonb_agg(c.table_name || '.' || c.column_name order by c.table_name, c.column_name) as columns
    from privacy.recipients p join privacy.recipient_columns c using (recipient)
    where private.has_value(c.table_name, c.column_name, plan_outside.person) group by p.recipient, p.about) x;
end;
comment on function private.plan_outside(uuid) is 'Who outside has data of a person from us, and which.';

create function private.plan_digest(plan jsonb) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
  -- What staff does about the request leaves records of its own, and what stays is nobody's to count.
  select encode(sha256(convert_to((plan || jsonb_build_object('steps', (
    select coalesce(jsonb_agg(x.step order by x.at), '[]') from jsonb_array_elements(plan -> 'steps') with ordinality x (step, at)
    where x.step ->> 'does' is distinct from 'stay' and x.step ->> 'table' !~ '^(audit|ops|privacy)\.')))::text, 'UTF8')), 'hex');
end;

create function private.make_erasure_plan(r privacy.requests) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  fates jsonb;
  going uuid[];
  kin uuid[];
  plan jsonb;
begin
  select coalesce(jsonb_agg(to_jsonb(f) order by f.family_id), '[]'), coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate = 'goes'), '{}'),
    coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate <> 'goes'), '{}')
  into fates, going, kin from private.erasure_fates(r.user_id) f;
  plan := jsonb_build_object('request', r.number, 'person', r.user_id, 'families', fates, 'catalogue', private.catalogue_digest(),
    'steps', private.plan_steps(r.user_id, going, kin), 'outside', private.plan_outside(r.user_id));
  return plan || jsonb_build_object('gates', private.erasure_gates(r, going), 'hash', private.plan_digest(plan));
end $$;
comment on function private.make_erasure_plan(privacy.requests) is 'As privacy.plan_erasure, for whoever may have it made.';

create or replace function privacy.plan_erasure(number text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
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
  return private.make_erasure_plan(r);
end $$;

-- Scheduling and cancelling ----------------------------------------------------------------------------------------------------------

create function private.person_identifiers(person uuid, families uuid[]) returns table (names text, value text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select distinct i.names, lower(btrim(i.value)) from (
    select 'id' as names, person::text as value
    union all select s.names, s.spelled from private.erasure_spellings(person) s
    union all select 'id', f::text from unnest(families) f
    union all select x.names, x.value from public.children c cross join lateral (values ('child', c.name::text), ('id', c.id::text)) x (names, value) where c.family_id = any (families)
    union all select 'device', d from public.notification_preferences p cross join lateral unnest(p.device_tokens) d where p.user_id = person
    union all select 'stripe', v from public.subscriptions s cross join lateral (values (s.stripe_customer_id::text), (s.stripe_subscription_id::text)) x (v) where s.user_id = person) i
  where char_length(btrim(i.value)) > 1;
end;
comment on function private.person_identifiers(uuid, uuid[]) is 'By what a person, and the children of families that go with them, are found; in small letters.';

create function privacy.erasure_approvable(number text, ground text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  plan constant jsonb := privacy.plan_erasure(number);
begin
  return jsonb_build_object('do', 'erase', 'request', plan -> 'request', 'person', plan -> 'person', 'ground', ground, 'hash', plan -> 'hash',
    'families', (select coalesce(jsonb_agg(f -> 'family_id' order by f ->> 'family_id'), '[]') from jsonb_array_elements(plan -> 'families') f where f ->> 'fate' = 'goes'),
    'rows', (select coalesce(jsonb_object_agg(d.does, d.n), '{}') from (
      select s ->> 'does' as does, sum((s ->> 'rows')::bigint) as n from jsonb_array_elements(plan -> 'steps') s
      where s ->> 'does' in ('delete', 'anonymize', 'sever') and s ->> 'table' !~ '^(audit|ops|privacy)\.' group by 1) d));
end $$;
comment on function privacy.erasure_approvable(text, text) is 'What a second operator approves before privacy.schedule_erasure: whom, why, which families go, and the hash of the plan.';

create function private.require_clear(plan jsonb) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  against jsonb;
begin
  select g.gate into against from jsonb_array_elements(plan -> 'gates') g (gate) limit 1;
  if against is not null then
    perform private.fail('NS005', against ->> 'why', against ->> 'next');
  end if;
  select s.step into against from jsonb_array_elements(plan -> 'steps') s (step) where s.step ? 'unread' limit 1;
  if against is not null then
    perform private.fail('NS005', format('%s may hold anything of theirs: %s', against ->> 'table', against ->> 'unread'), 'nestctl doctor');
  end if;
end $$;
comment on function private.require_clear(jsonb) is 'Raises where something stands against a plan.';

create function privacy.schedule_erasure(number text, ground text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  plan jsonb;
  v_person uuid;
  approval uuid;
  going uuid[];
  at constant timestamptz := clock_timestamp();
  e privacy.erasures;
begin
  perform private.require_request_duty();
  perform from privacy.requests r where r.number = schedule_erasure.number for update;
  plan := privacy.plan_erasure(number);
  v_person := (plan ->> 'person')::uuid;
  perform private.require_clear(plan);
  select x.* into e from privacy.erasures x where x.person = v_person and x.cancelled_at is null order by x.scheduled_at desc limit 1 for update;
  if found then
    perform private.fail('NS005', case
        when e.begun_at is not null then format('request %s erases them already, since %s', e.request, (e.begun_at at time zone 'UTC')::date)
        else format('request %s has scheduled it already, for %s', e.request, (e.due_at at time zone 'UTC')::date) end,
      format('nestctl erasure show %s', e.request));
  end if;
  approval := ops.use_approval('erasure', privacy.erasure_approvable(number, ground));
  going := array(select (f ->> 'family_id')::uuid from jsonb_array_elements(plan -> 'families') f where f ->> 'fate' = 'goes' order by 1);
  insert into privacy.erasures (request, answers, person, families, ground, plan, plan_hash, catalogue, approval_id, scheduled_at, due_at, before)
  select number, number, v_person, going, ground, plan - 'gates', plan ->> 'hash', plan ->> 'catalogue', approval, at, at + interval '30 days',
    jsonb_build_object('status', u.status, 'data_deletion_requested_at', u.data_deletion_requested_at, 'notifications', (
      select to_jsonb(p) from (select n.push_enabled, n.email_enabled, n.sms_enabled from public.notification_preferences n where n.user_id = u.id) p))
  from public.users u where u.id = v_person
  returning * into e;
  -- Nobody signs in as them from here on, and nothing is sent to them.
  update public.users u set status = 'pending_deletion', data_deletion_requested_at = coalesce(u.data_deletion_requested_at, e.scheduled_at) where u.id = v_person;
  update public.notification_preferences n set push_enabled = false, email_enabled = false, sms_enabled = false where n.user_id = v_person;
  return e;
end $$;
comment on function privacy.schedule_erasure(text, text) is
  'Schedules the erasure of the subject of a request, thirty days from now, under a second operator''s approval of privacy.erasure_approvable, and closes the account until then.';

create function private.lock_erasure(number text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  select x.* into e from privacy.erasures x where x.request = number order by x.cancelled_at is null desc, x.scheduled_at desc limit 1 for update;
  if not found then
    perform private.fail('NS006', format('request %s has scheduled no erasure', number), 'nestctl erasure list --all');
  elsif e.cancelled_at is not null then
    perform private.fail('NS005', format('it was cancelled on %s', (e.cancelled_at at time zone 'UTC')::date), format('nestctl erasure show %s', number));
  end if;
  return e;
end $$;
comment on function private.lock_erasure(text) is 'The erasure that a request scheduled, locked; raises where it was cancelled.';

create function privacy.cancel_erasure(number text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.begun_at is not null then
    perform private.fail('NS005', format('it began on %s: what is erased cannot be put back', (e.begun_at at time zone 'UTC')::date), format('nestctl erasure show %s', number));
  end if;
  update public.users u set status = e.before ->> 'status', data_deletion_requested_at = (e.before ->> 'data_deletion_requested_at')::timestamptz where u.id = e.person;
  if e.before -> 'notifications' <> 'null' then
    update public.notification_preferences n set push_enabled = (e.before #>> '{notifications,push_enabled}')::boolean,
      email_enabled = (e.before #>> '{notifications,email_enabled}')::boolean, sms_enabled = (e.before #>> '{notifications,sms_enabled}')::boolean
    where n.user_id = e.person;
  end if;
  update privacy.erasures x set cancelled_at = clock_timestamp(), cancelled_by = session_user, cancel_reason = btrim(current_setting('nestsync.reason', true))
  where x.id = e.id returning x.* into e;
  return e;
end $$;
comment on function privacy.cancel_erasure(text) is 'Takes back an erasure that has not begun: the account and how it is notified are as they were.';

-- Running ------------------------------------------------------------------------------------------------------------------------------

create function private.key_depth() returns table (table_name text, depth integer)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with recursive keys as (
    select distinct k.conrelid as child, k.confrelid as parent from pg_catalog.pg_constraint k where k.contype = 'f' and k.conrelid <> k.confrelid and k.conparentid = 0
  ), down (rel, path) as (
    select c.oid, array[c.oid] from pg_catalog.pg_class c where c.relkind in ('r', 'p') and not c.relispartition
    union all
    select k.child, d.path || k.child from down d join keys k on k.parent = d.rel where not k.child = any (d.path)
  )
  select case when n.nspname = 'public' then 'public.' else n.nspname || '.' end || c.relname, max(cardinality(d.path))
  from down d join pg_catalog.pg_class c on c.oid = d.rel join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' group by 1;
end;
comment on function private.key_depth() is
  'How far each table lies below those that its foreign keys point to, at most: rows of the deepest go first. A cycle is followed once.';

create function private.lay_steps(e privacy.erasures) returns void
  language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into privacy.erasure_steps (erasure_id, at, table_name, rows_of, does, columns)
  select e.id, row_number() over (order by o.stage, o.depth desc, o.table_name, o.rows_of, o.columns), o.table_name, o.rows_of, o.does, o.columns
  from (
    select s ->> 'table' as table_name, s ->> 'rows_of' as rows_of,
      case when k.relkind = 'm' then 'refresh' else s ->> 'does' end as does,
      array(select jsonb_array_elements_text(coalesce(s -> 'columns', '[]'))) as columns,
      coalesce(d.depth, 0) as depth,
      -- What is only changed first, while those rows are there by which it is found; the account last.
      case when s ->> 'table' = 'public.users' then 5 when k.relkind = 'm' then 4 when s ->> 'table' = 'audit.events' then 6
        when s ->> 'does' = 'delete' then 3 when s ->> 'table' ~ '^(ops|privacy|audit)\.' then 2 else 1 end as stage
    from jsonb_array_elements(e.plan -> 'steps') s
      left join private.key_depth() d on d.table_name = s ->> 'table'
      left join pg_catalog.pg_class k on k.oid = to_regclass(s ->> 'table')
    where s ->> 'does' in ('delete', 'anonymize', 'sever') and s ->> 'table' <> 'audit.events'
    union all
    select 'audit.events', 'own', 'anonymize', '{}', 0, 6) o;
end;
comment on function private.lay_steps(privacy.erasures) is 'Puts the steps of an erasure in their order.';

create function private.step_rows(e privacy.erasures, s privacy.erasure_steps) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  scope constant record := private.erasure_scope(s.table_name, e.person, e.families);
  kin constant uuid[] := array(select (f ->> 'family_id')::uuid from jsonb_array_elements(e.plan -> 'families') f where f ->> 'fate' <> 'goes');
  stays constant text := format('not coalesce((%s) or (%s), false)', scope.own, scope.gone);
  condition text;
begin
  case s.rows_of
    when 'own' then return format('(%s)', scope.own);
    when 'gone' then return format('(%s) and (%s) is not true', scope.gone, scope.own);
    when 'named' then return format('(%s) and %s', scope.named, stays);
    when 'entered' then
      select string_agg(replace(x.condition, '$1', format('%L::uuid', e.person)), ' or ') into condition
      from privacy.paths p, privacy.path_condition(p.table_name, p.path) x (condition)
      where p.table_name = s.table_name and p.subject = 'author' and p.columns = s.columns and p.compares = 'equal';
      return format('(%s) and %s', condition, stays);
    when 'spelled' then
      select string_agg(format('%I = any (%L::uuid[])', p.columns[1], kin), ' or ' order by p.path) into condition from privacy.paths p
      where p.table_name = s.table_name and p.subject = 'household' and p.compares = 'equal' and p.to_table = 'public.families';
      return format('(%s) and lower(btrim(%I::text)) in (select i.value from privacy.erasure_identifiers i join privacy.naming_columns m on (m.table_name, m.column_name, m.names) = (%L, %L, i.names) where i.erasure_id = %L) and %s',
        condition, s.columns[1], s.table_name, s.columns[1], e.id, stays);
  end case;
end $$;
comment on function private.step_rows(privacy.erasures, privacy.erasure_steps) is 'The condition on the rows that a step of an erasure is for.';

create function private.settings_of(s privacy.erasure_steps) returns table (column_name text, value text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select c.name, case s.does when 'sever' then 'null' else coalesce((
    select max(a.anonymized_as) from privacy.column_answers a where a.table_name = s.table_name and a.column_name = c.name and a.erasure = 'anonymize'), 'null') end
  from unnest(s.columns) c (name) order by 1;
end;
comment on function private.settings_of(privacy.erasure_steps) is 'What a step puts into which columns, as expressions.';

create function private.not_yet(s privacy.erasure_steps) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- What is drawn anew for each row is told by its shape.
  select coalesce(string_agg(case when v.value like '%gen_random_uuid()%' then format('x.%I::text not like ''erased-%%''', v.column_name)
    else format('x.%I::text is distinct from (%s)::text', v.column_name, v.value) end, ' or '), 'false') from private.settings_of(s) v;
end;
comment on function private.not_yet(privacy.erasure_steps) is 'The condition on rows that a step has still to change.';

create function private.do_step(e privacy.erasures, s privacy.erasure_steps, wanted integer, out done integer, out last_key jsonb)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  keys record;
  setting text;
begin
  select string_agg(format('x.%I', a.attname), ', ' order by k.at) as columns, string_agg(format('x.%I::text', a.attname), ', ' order by k.at) as texts,
    string_agg(format('%L::%s', s.last_key ->> (k.at - 1)::integer, format_type(a.atttypid, a.atttypmod)), ', ' order by k.at) as last
  into keys
  from pg_catalog.pg_index i cross join unnest(i.indkey) with ordinality k (attnum, at)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = to_regclass(s.table_name) and i.indisprimary;
  if s.does <> 'delete' then
    select string_agg(format('%I = %s', v.column_name, v.value), ', ') into setting from private.settings_of(s) v;
  end if;
  execute format('
    with taken as materialized (
      select x.ctid as "nestctl place", %1$s as "nestctl order", jsonb_build_array(%2$s) as "nestctl key" from %3$s x where (%4$s)%5$s order by %6$s limit %7$s for update),
    gone as (%8$s returning 1)
    select (select count(*)::integer from gone), (select t."nestctl key" from taken t order by t."nestctl order" desc limit 1)',
    case when keys.columns is null then 'x.ctid' else format('row(%s)', keys.columns) end, coalesce(keys.texts, 'null'), s.table_name, private.step_rows(e, s),
    case when s.last_key is null or keys.columns is null then '' else format(' and (%s) > (%s)', keys.columns, keys.last) end,
    coalesce(keys.columns, 'x.ctid'), wanted,
    case when s.does = 'delete' then format('delete from %s x using taken t where x.ctid = t."nestctl place"', s.table_name)
      else format('update %s x set %s from taken t where x.ctid = t."nestctl place"', s.table_name, setting) end)
  into done, last_key;
end $$;
comment on function private.do_step(privacy.erasures, privacy.erasure_steps, integer) is 'Does so many rows of a step, in the order of their key, and tells how many and the last of them.';

create function private.erase_events(e privacy.erasures, last_key jsonb, wanted integer, out done integer, out reached jsonb, out parts bigint)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  names constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = any ('{name,email,phone}'));
  asked constant uuid[] := array(select i.value::uuid from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = 'reading');
  ids constant text[] := array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names in ('id', 'email'));
  -- Where somebody is named within a plan or a question, or by an address alone.
  telling constant text[] := array(select distinct p.table_name from privacy.paths p where p.compares in ('contains', 'lower') and p.table_name <> 'public.users');
  v audit.events;
  found integer[];
  part integer;
begin
  done := 0;
  parts := 0;
  for v in
    select x.* from audit.events x
    where (last_key is null or (x.occurred_at, x.id) > ((last_key ->> 0)::timestamptz, (last_key ->> 1)::bigint))
      and (x.app_user = e.person or x.subject_user = e.person or x.family_id = any (e.families)
        or (x.table_name = any (telling) and (x.record_id = any (asked) or exists (select from unnest(ids) i where strpos(lower(concat(x.old_row, x.new_row)), i) > 0)))
        or (x.named_columns is not null and (x.named_old && (names || e.person::text) or x.named_new && (names || e.person::text))))
    order by x.occurred_at, x.id limit wanted for update
  loop
    reached := jsonb_build_array(v.occurred_at, v.id);
    found := audit.parts_about(v, e.person, e.families, names);
    if v.table_name = any (telling) and (v.record_id = any (asked) or exists (select from unnest(ids) i where strpos(lower(concat(v.old_row, v.new_row)), i) > 0)) then
      found := array(select distinct unnest(found || 2) order by 1);
    end if;
    foreach part in array found loop
      if v.salts[part] is not null then
        v := audit.without_part(v, part, e.request);
        parts := parts + 1;
      end if;
    end loop;
    update audit.events x set
      app_user = v.app_user, family_id = v.family_id, subject_user = v.subject_user, record_id = v.record_id, record_key = v.record_key,
      changed_columns = v.changed_columns, old_row = v.old_row, new_row = v.new_row, named_old = v.named_old, named_new = v.named_new,
      reason = v.reason, ticket = v.ticket, salts = v.salts, erased_hashes = v.erased_hashes, erased_requests = v.erased_requests
    where x.id = v.id and x.occurred_at = v.occurred_at and x.category = v.category and x.salts is distinct from v.salts;
    done := done + 1;
  end loop;
  update audit.erasures x set events = x.events + done, parts = x.parts + erase_events.parts where x.approval_id = e.approval_id;
end $$;
comment on function private.erase_events(privacy.erasures, jsonb, integer) is 'Takes the person out of so many events of the audit log, from a point in time on.';

create function private.late_steps(e privacy.erasures) returns table (step jsonb, columns text[])
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select s.step, c.columns
  from (
    select distinct a.table_name from privacy.column_answers a
    where a.whose <> 'operational' and a.table_name <> 'audit.events' and (select k.relkind in ('r', 'p') from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
    cross join lateral jsonb_array_elements(private.plan_table(t.table_name, e.person, e.families,
      array(select (f ->> 'family_id')::uuid from jsonb_array_elements(e.plan -> 'families') f where f ->> 'fate' <> 'goes'))) s (step)
    cross join lateral (select array(select jsonb_array_elements_text(coalesce(s.step -> 'columns', '[]'))) as columns) c
  where s.step ->> 'does' in ('delete', 'anonymize', 'sever')
    -- What was done to these then is what is done now.
    and not exists (select from jsonb_array_elements(e.plan -> 'policy') p where (p ->> 'table', p ->> 'rows_of') = (s.step ->> 'table', s.step ->> 'rows_of'))
    and not exists (
    select from privacy.erasure_steps x
    where (x.erasure_id, x.table_name, x.rows_of, x.does) = (e.id, s.step ->> 'table', s.step ->> 'rows_of', s.step ->> 'does') and (x.does = 'delete' or x.columns = c.columns));
end;
comment on function private.late_steps(privacy.erasures) is 'What the data map would have done to rows that were not there when an erasure began, in tables or ways that no step of it is for.';

create function private.next_batch(e privacy.erasures, at integer) returns integer
  language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into privacy.erasure_batches (erasure_id, number, at)
  select e.id, coalesce(max(b.number), 0) + 1, next_batch.at from privacy.erasure_batches b where b.erasure_id = e.id
  returning number;
end;

create function private.require_ready(e privacy.erasures) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  drifted constant text := 'tables, keys, triggers, policies, grants or the data map have changed since it was planned';
  r privacy.requests;
  fresh jsonb;
begin
  if e.begun_at is not null then
    if e.replays is null and private.catalogue_digest() <> e.catalogue then
      perform private.fail('NS005', drifted, format('nestctl erasure show %s', e.request));
    end if;
    return e.plan;
  elsif e.due_at > clock_timestamp() then
    perform private.fail('NS005', format('it is due on %s, and can be cancelled until then', (e.due_at at time zone 'UTC')::date), format('nestctl erasure show %s', e.request));
  end if;
  select q.* into strict r from privacy.requests q where q.number = e.request;
  fresh := private.make_erasure_plan(r);
  perform private.require_clear(fresh);
  if fresh ->> 'hash' <> e.plan_hash then
    perform private.fail('NS005', case when fresh ->> 'catalogue' <> e.catalogue then drifted else 'what it would erase is no longer what was approved' end,
      format('nestctl erasure cancel %s', e.request));
  end if;
  return fresh - 'gates';
end $$;
comment on function private.require_ready(privacy.erasures) is
  'The plan of now, where an erasure may begin or go on; raises where it is not due, something stands against it, or plan or catalogue are no longer what was approved.';

create function private.start_batches(e privacy.erasures) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.next_batch(e, null);
  insert into privacy.erasure_identifiers (erasure_id, names, value) select e.id, i.names, i.value from private.person_identifiers(e.person, e.families) i;
  insert into audit.erasures (approval_id, request) values (e.approval_id, e.request);
  perform private.lay_steps(e);
  insert into privacy.erasure_outside (erasure_id, recipient) select e.id, o ->> 'recipient' from jsonb_array_elements(e.plan -> 'outside') o;
end $$;
comment on function private.start_batches(privacy.erasures) is 'Puts down what an erasure that begins has to do, by whom it finds them, and that the audit log is erased under it.';

create function privacy.begin_erasure(number text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  fresh jsonb;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.erased_at is not null then
    return e;
  end if;
  fresh := private.require_ready(e);
  if e.begun_at is not null then
    return e;
  end if;
  -- Records of staff's work came to be since: the plan of now says how many.
  update privacy.erasures x set begun_at = clock_timestamp(), begun_by = session_user, plan = fresh where x.id = e.id returning x.* into e;
  perform private.start_batches(e);
  return e;
end $$;
comment on function privacy.begin_erasure(text) is
  'Begins an erasure that is due, or takes up one that has begun; from here on it cannot be cancelled. Refused where something stands against it now, and where plan or catalogue are no longer what was approved.';

create function private.ledger_facts(e privacy.erasures) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  return jsonb_build_object('erasure', e.id, 'request', e.request, 'ground', e.ground, 'approval', e.approval_id, 'plan', e.plan_hash, 'catalogue', e.catalogue,
    'families', cardinality(e.families), 'scheduled', (e.scheduled_at at time zone 'UTC')::date, 'policy', (
      select coalesce(jsonb_agg(distinct (s - 'rows')), '[]') from jsonb_array_elements(e.plan -> 'steps') s where s ->> 'does' <> 'stay' and s ->> 'table' !~ '^(audit|ops|privacy)\.'));
comment on function private.ledger_facts(privacy.erasures) is 'What the ledger says of an erasure besides by whom its people are known again: no personal data. policy: what was done to rows of which kind.';

create function private.ledger_identifiers(e privacy.erasures) returns table (names text, value text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select 'person', e.person::text
  union select 'family', f::text from unnest(e.families) f
  union select 'child', c.id::text from public.children c where c.family_id = any (e.families)
  union select i.names, case i.names when 'phone' then right(regexp_replace(i.value, '\D', '', 'g'), 10) else i.value end
  from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names in ('email', 'phone', 'device', 'stripe');
end;
comment on function private.ledger_identifiers(privacy.erasures) is
  'By what somebody is known again who comes back: ids of the account, families and children that go; addresses in small letters, the last ten digits of telephone numbers, devices, the processor''s customer.';

create function privacy.erasure_ledger(number text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.begun_at is null then
    perform private.fail('NS005', 'it has not begun', format('nestctl erasure run %s', number));
  end if;
  return jsonb_build_object('ledger', e.ledger, 'facts', private.ledger_facts(e), 'identifiers', case when e.ledger is null then (
    select jsonb_agg(jsonb_build_array(i.names, i.value) order by i.names, i.value) from private.ledger_identifiers(e) i) end);
end $$;
comment on function privacy.erasure_ledger(text) is
  'What an erasure that has begun enters into the ledger before its first row goes: facts as they are, identifiers only as keyed hashes. ledger: the record, where it stands there already.';

create function private.ledger_statement(ledger text) returns jsonb
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  statement jsonb;
begin
  begin
    -- Whether a known key signed it is what nestctl erasure ledger verify tells.
    statement := case when jsonb_array_length(ledger::jsonb -> 'signatures') > 0 then convert_from(decode(ledger::jsonb ->> 'payload', 'base64'), 'UTF8')::jsonb end;
  exception when others then
    statement := null;
  end;
  if statement ->> 'predicateType' is distinct from 'urn:nestctl:evidence:erasure:v1' then
    perform private.fail('NS007', 'that is no signed record of the ledger');
  end if;
  return statement;
end $$;
comment on function private.ledger_statement(text) is 'What a record of the ledger says; raises where it is none.';

create function private.require_ledger(e privacy.erasures, ledger text) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  content constant jsonb := private.ledger_statement(ledger) #> '{predicate,content}';
begin
  if content is null
    or content - 'identifiers' is distinct from private.ledger_facts(e)
    or jsonb_typeof(content -> 'identifiers') is distinct from 'array'
    or jsonb_array_length(content -> 'identifiers') <> (select count(*) from private.ledger_identifiers(e))
    or exists (select from jsonb_array_elements(content -> 'identifiers') i where i ->> 'mac' !~ '^[0-9a-f]{64}$' or i ->> 'kid' is null)
  then
    perform private.fail('NS007', format('the record in the ledger is not of exactly what request %s erases', e.request));
  end if;
end $$;
comment on function private.require_ledger(privacy.erasures, text) is 'Raises where the record in the ledger is not that of this erasure, or does not know again everybody that it takes.';

create function privacy.record_ledger(number text, ledger text) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.ledger is null then
    perform private.require_ledger(e, ledger);
    update privacy.erasures x set ledger = record_ledger.ledger where x.id = e.id returning x.* into e;
  end if;
  return e;
end $$;
comment on function privacy.record_ledger(text, text) is 'Says that an erasure stands in the ledger; no row goes before. ledger: an envelope whose statement is of exactly this erasure.';

create function private.hold_on(person uuid, families uuid[], replays boolean, ledger text) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  -- One from before what is replayed was released then, and came back with the restore.
  select h.number from private.held_subjects() h join privacy.legal_holds l on l.number = h.number
  where (h.user_id = hold_on.person or h.family_id = any (hold_on.families)) and h.why = 'legal_hold'
    and (not replays or l.placed_at > (private.ledger_statement(ledger) #>> '{predicate,made_at}')::timestamptz)
  order by h.number limit 1;
end;
comment on function private.hold_on(uuid, uuid[], boolean, text) is 'The legal hold under which a person or a family that would go is not erased; for a replay, one that was placed since the ledger says that they were.';

create function privacy.erase_batch(number text, wanted integer default 5000) returns table (step integer, table_name text, does text, done integer, more boolean)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  s privacy.erasure_steps;
  batch integer;
  reached jsonb;
  held text;
  rest integer;
  last integer;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.begun_at is null then
    perform private.fail('NS005', 'it has not begun', format('nestctl erasure run %s', number));
  elsif e.ledger is null then
    perform private.fail('NS005', 'it does not stand in the ledger yet, which outlives a restore', format('nestctl erasure run %s', number));
  elsif e.erased_at is not null then
    return;
  end if;
  held := private.hold_on(e.person, e.families, e.replays is not null, e.ledger);
  if held is not null then
    perform private.fail('NS005', private.held_by(held, 'what would be erased'), private.look_at_hold(held));
  end if;
  select x.* into s from privacy.erasure_steps x where x.erasure_id = e.id and x.done_at is null order by x.at limit 1;
  batch := private.next_batch(e, s.at);
  if not found then
    -- Whoever wrote meanwhile: what was done is looked at again, from its beginning.
    for s in select x.* from privacy.erasure_steps x where x.erasure_id = e.id and x.does <> 'refresh' and x.table_name <> 'audit.events' order by x.at loop
      execute format('select count(*) from (select from %s x where %s limit 1) y', s.table_name,
        case s.does when 'delete' then private.step_rows(e, s) else format('(%s) and (%s)', private.step_rows(e, s), private.not_yet(s)) end) into rest;
      if rest > 0 then
        update privacy.erasure_steps x set last_key = null, done_at = null where x.erasure_id = e.id and (x.at = s.at or x.table_name = 'audit.events');
        return query select s.at, s.table_name, s.does, 0, true;
        return;
      end if;
    end loop;
    -- And where they had nothing when it began.
    select max(x.at) into last from privacy.erasure_steps x where x.erasure_id = e.id;
    insert into privacy.erasure_steps (erasure_id, at, table_name, rows_of, does, columns)
    select e.id, last + row_number() over (order by coalesce(d.depth, 0) desc, l.step ->> 'table', l.step ->> 'rows_of', l.columns), l.step ->> 'table', l.step ->> 'rows_of', l.step ->> 'does', l.columns
    from private.late_steps(e) l left join private.key_depth() d on d.table_name = l.step ->> 'table';
    get diagnostics rest = row_count;
    if rest > 0 then
      -- The log comes last.
      update privacy.erasure_steps x set at = last + rest + 1, last_key = null, done_at = null where x.erasure_id = e.id and x.table_name = 'audit.events';
      return query select x.at, x.table_name, x.does, 0, true from privacy.erasure_steps x where x.erasure_id = e.id and x.at = last + 1;
      return;
    end if;
    update privacy.erasure_steps x set last_key = null where x.erasure_id = e.id;
    update privacy.erasures x set erased_at = clock_timestamp() where x.id = e.id;
    return;
  end if;
  if s.does = 'refresh' then
    execute format('refresh materialized view %s', s.table_name);
    done := 0;
  elsif s.table_name = 'audit.events' then
    select x.done, x.reached into done, reached from private.erase_events(e, s.last_key, wanted) x;
  else
    select x.done, x.last_key into done, reached from private.do_step(e, s, wanted) x;
  end if;
  update privacy.erasure_steps x set rows = x.rows + erase_batch.done, last_key = coalesce(reached, x.last_key), done_at = case when erase_batch.done < wanted then clock_timestamp() end
  where x.erasure_id = e.id and x.at = s.at;
  update privacy.erasure_batches b set rows = erase_batch.done where b.erasure_id = e.id and b.number = batch;
  return query select s.at, s.table_name, s.does, erase_batch.done, true;
end $$;
comment on function privacy.erase_batch(text, integer) is
  'Does so many rows of an erasure that has begun, as a transaction of its own; no row where nothing is left to do.';

-- What is left ------------------------------------------------------------------------------------------------------------------------

create function private.spellings(names text, value text) returns table (spelled text)
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
begin atomic
  with forms (form) as (
    select value
    union all select replace(value, '-', '') where names in ('id', 'reading')
    union all select replace(value, '@', '%40') where names = 'email'
    union all select p.form from (select right(regexp_replace(value, '\D', '', 'g'), 10) as d) n cross join lateral (values
        (n.d), (substr(n.d, 1, 3) || '-' || substr(n.d, 4, 3) || '-' || substr(n.d, 7)), (substr(n.d, 1, 3) || ' ' || substr(n.d, 4, 3) || ' ' || substr(n.d, 7)),
        (substr(n.d, 1, 3) || ' ' || substr(n.d, 4, 3) || '-' || substr(n.d, 7)), (substr(n.d, 1, 3) || '.' || substr(n.d, 4, 3) || '.' || substr(n.d, 7)),
        ('(' || substr(n.d, 1, 3) || ') ' || substr(n.d, 4, 3) || '-' || substr(n.d, 7))) p (form)
      where names = 'phone' and char_length(n.d) = 10
  ), cased (form) as (
    -- Only letters of ASCII are made small where they are looked for.
    select f.form from forms f
    union select translate(f.form, 'àâäáãåæçèéêëìíîïñòóôöõøœùúûüýÿ', 'ÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØŒÙÚÛÜÝŸ') from forms f
    union select normalize(f.form, NFD) from forms f where f.form ~ '[^\x01-\x7f]')
  select distinct x.form from cased c cross join lateral (values
    (c.form),
    -- As JSON may escape it, and as bytes are printed.
    (case when c.form ~ '[^\x01-\x7f]' then (select string_agg(case when ascii(l) < 128 then l else '\u' || lpad(to_hex(ascii(l)), 4, '0') end, '' order by at) from regexp_split_to_table(c.form, '') with ordinality r (l, at)) end),
    (case when c.form ~ '[^\x01-\x7f]' then encode(convert_to(c.form, 'UTF8'), 'escape') end)) x (form)
  where x.form is not null;
end;
comment on function private.spellings(text, text) is
  'How an identifier may stand written, letters of ASCII small: an id without its dashes, an address in a link, a telephone number in groups, accents in capitals or apart, escaped.';

create function private.sought(erasure uuid) returns text[]
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with spelled as (
    select i.names, i.value, array_agg(s.spelled) as forms,
      case when i.names in ('id', 'reading') then left(i.value, 8) when i.names = 'email' then split_part(i.value, '@', 1) when i.names = 'phone' then right(i.value, 4) end as piece
    from privacy.erasure_identifiers i cross join lateral private.spellings(i.names, i.value) s where i.erasure_id = erasure group by 1, 2
  ), pieces as (
    -- One look for what all spellings of an identifier have in common, where it is long enough to be seldom.
    select distinct x.piece from spelled s cross join lateral unnest(
      case when char_length(s.piece) >= 4 and (select bool_and(strpos(f, s.piece) > 0) from unnest(s.forms) f) then array[s.piece] else s.forms end) x (piece))
  select array_agg(p.piece order by p.piece) from pieces p where not exists (select from pieces o where o.piece <> p.piece and strpos(p.piece, o.piece) > 0);
end;
comment on function private.sought(uuid) is
  'A text that holds none of these holds nothing by which somebody is found: each is a piece of all spellings of an identifier, or one of them, in letters of ASCII small.';

create function private.searched_columns(rel oid) returns table (column_name text, expression text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  -- What is a number, a truth or a point in time holds no identifier.
  select a.attname::text, format(case when t.oid = 'bytea'::regtype then 'encode(x.%I, ''escape'')' else 'x.%I::text' end, a.attname)
  from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
    cross join lateral (select case when y.typtype = 'd' then y.typbasetype else y.oid end as oid) b
    join pg_catalog.pg_type t on t.oid = b.oid
  where a.attrelid = rel and a.attnum > 0 and not a.attisdropped
    and (t.typcategory in ('S', 'A', 'U', 'C', 'X') or t.typname in ('json', 'jsonb', 'uuid', 'xml', 'hstore')) and t.typname not in ('xid8', 'xid', 'cid', 'tid', 'pg_lsn', 'pg_snapshot')
  order by a.attnum;
end;
comment on function private.searched_columns(oid) is 'Columns of a relation that could hold an identifier, and each as text.';

create function private.is_word(term text, hay text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return hay ~ ('(^|[^[:alnum:]])' || regexp_replace(term, '([^[:alnum:][:space:]])', '\\\1', 'g') || '($|[^[:alnum:]])');
comment on function private.is_word(text, text) is 'Whether a name stands in a text as a word: Gran is not in granted.';

create function private.residue_in_statistics(e privacy.erasures) returns table (table_name text, column_name text, names text, rows bigint, state text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select 'pg_catalog.pg_stats'::text, s.schemaname || '.' || s.tablename || '.' || s.attname, i.names, count(*),
    case when exists (select from privacy.column_answers a where a.table_name = s.schemaname || '.' || s.tablename and a.column_name = s.attname and a.erasure = 'keep' and a.obligation is not null) then 'kept'
      when i.names not in ('name', 'child') then 'residue'
      when exists (select from privacy.naming_columns m where m.table_name = s.schemaname || '.' || s.tablename and m.column_name = s.attname and m.names = 'name')
        -- What an index remembers is what its table holds, which is searched itself.
        or exists (select from pg_catalog.pg_class c where c.oid = to_regclass(format('%I.%I', s.schemaname, s.tablename)) and c.relkind = 'i') then 'namesake' else 'possible' end
  from pg_catalog.pg_stats s cross join lateral (select lower(concat_ws(E'\x1f', s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text) collate "C") as hay) h
    join privacy.erasure_identifiers i on i.erasure_id = e.id
  where exists (select from private.spellings(i.names, i.value) p where strpos(h.hay, p.spelled) > 0 and (i.names not in ('name', 'child') or private.is_word(p.spelled, h.hay)))
  group by 2, 3, 5;
end;
comment on function private.residue_in_statistics(privacy.erasures) is 'The planner keeps the most common values of columns, until they are analyzed again.';

create function private.find_residue(e privacy.erasures) returns table (table_name text, column_name text, names text, rows bigint, state text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  rel record;
  hay text;
  columns text;
  any_of text;
begin
  select string_agg(format('strpos(h.hay, %L) > 0', t), ' or ') into any_of from unnest(private.sought(e.id)) t;
  if any_of is null then
    return;
  end if;
  for rel in
    select c.oid, n.nspname || '.' || c.relname as name, coalesce(pn.nspname || '.' || pc.relname, n.nspname || '.' || c.relname) as told,
      case when not has_table_privilege(c.oid, 'select') then 'the owner of the schema may not read it'
        when n.nspname in ('auth', 'storage') and row_security_active(c.oid) then 'its row security hides rows from the owner of the schema' end as unread
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      left join pg_catalog.pg_class pc on pc.oid = pg_partition_root(c.oid) left join pg_catalog.pg_namespace pn on pn.oid = pc.relnamespace
    where c.relkind in ('r', 'm', 'f') and c.relispopulated and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
      -- What is looked for stands there.
      and n.nspname || '.' || c.relname <> 'privacy.erasure_identifiers'
    order by 2
  loop
    if rel.unread is not null then
      return query select rel.told, null::text, null::text, null::bigint, rel.unread;
      continue;
    end if;
    select string_agg(s.expression, ', '), string_agg(format('(%L, lower(%s collate "C"), lower(%s collate "C"))', s.column_name, s.expression,
      -- The image of somebody else's row calls them as its own columns do.
      case when rel.told = 'audit.events' and s.column_name in ('old_row', 'new_row')
        then format('(x.%I::jsonb - array(select m.column_name from privacy.naming_columns m where m.table_name = x.table_name))::text', s.column_name) else s.expression end), ', ')
    into hay, columns from private.searched_columns(rel.oid) s;
    continue when hay is null;
    -- Most rows are passed over in one look at all of their text, put together once (offset 0).
    return query execute format('
      with hit as materialized (select x.* from %1$s x cross join lateral (select lower(concat_ws(E''\x1f'', %2$s) collate "C") as hay offset 0) h where %3$s)
      select %4$L::text, c.column_name, k.names, count(*),
        case when exists (select from privacy.column_answers a where a.table_name = %4$L and a.column_name = c.column_name and a.erasure = ''keep'' and a.obligation is not null) then ''kept''
          when k.names not in (''name'', ''child'') then ''residue''
          when exists (select from privacy.naming_columns m where m.table_name = %4$L and m.column_name = c.column_name and m.names = ''name'')
            or not exists (select from unnest(k.terms) t where private.is_word(t, c.besides)) then ''namesake'' else ''possible'' end
      from hit x cross join lateral (values %5$s) c (column_name, hay, besides)
        cross join (select i.names, array_agg(distinct s.spelled) as terms from privacy.erasure_identifiers i cross join lateral private.spellings(i.names, i.value) s
          where i.erasure_id = %6$L group by i.names) k
      where exists (select from unnest(k.terms) t where strpos(c.hay, t) > 0 and (k.names not in (''name'', ''child'') or private.is_word(t, c.hay)))
        -- What only migrations write, and what copies the catalogue, tells of nobody.
        and not (k.names in (''name'', ''child'') and (%4$L = ''ops.catalogue_snapshots'' or exists (select from pg_catalog.pg_trigger g where g.tgrelid = %7$s and g.tgfoid = ''private.only_by_migration''::regproc)))
      group by 2, 3, 5 order by 2, 3, 5', rel.oid::regclass, hay, any_of, rel.told, columns, e.id, rel.oid);
  end loop;
  return query select * from private.residue_in_statistics(e);
end $$;
comment on function private.find_residue(privacy.erasures) is
  'Where something of a person still stands, whatever the data map says: residue; kept, under an obligation; namesake, where somebody else is called so; possible, a name in what somebody wrote; or why a table could not be read.';

-- The audit log and its archives learn of it ------------------------------------------------------------------------------------------

create or replace function audit.stamp_erasure() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  batch constant boolean := exists (select from privacy.erasure_batches b join privacy.erasures e on e.id = b.erasure_id
    where b.xid = pg_current_xact_id_if_assigned() and e.approval_id = new.approval_id and e.request = new.request);
begin
  if tg_op = 'INSERT' then
    new.erased_at := clock_timestamp();
    new.erased_by := session_user;
    new.erased_xid := pg_current_xact_id();
    if not batch and not exists (select from ops.approvals a
      where a.id = new.approval_id and a.action = 'erasure' and a.used_xid = new.erased_xid and a.requested_by = session_user)
    then
      perform private.fail('NS008', 'an erasure follows its approval, in the transaction that uses it up');
    end if;
    return new;
  end if;
  if not batch and old.erased_xid <> pg_current_xact_id() or to_jsonb(new) - '{events,parts}'::text[] <> to_jsonb(old) - '{events,parts}'::text[] then
    perform private.fail('NS005', 'the record of an erasure never changes');
  end if;
  return new;
end $$;

create or replace function audit.reach_archives() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if tg_table_name = 'erasures' then
    -- One that begins now waits, and then copies what is left.
    lock table audit.archives in share mode;
    insert into audit.archive_erasures (approval_id, archive_id, request) select new.approval_id, a.id, new.request from audit.archives a
    where not exists (select from audit.prunings p where p.archive_id = a.id and p.dropped_at is not null);
  else
    update audit.archive_erasures x set readings = x.readings || old.id
    from audit.erasures e
    where e.approval_id = x.approval_id and (e.erased_xid = pg_current_xact_id() or e.approval_id in (
      select p.approval_id from privacy.erasure_batches b join privacy.erasures p on p.id = b.erasure_id where b.xid = pg_current_xact_id_if_assigned()));
    insert into privacy.erasure_identifiers (erasure_id, names, value)
    select b.erasure_id, 'reading', old.id::text from privacy.erasure_batches b where b.xid = pg_current_xact_id_if_assigned() on conflict do nothing;
  end if;
  return null;
end $$;

create function private.reach_new_archive() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into audit.archive_erasures (approval_id, archive_id, request)
  select e.approval_id, new.id, e.request from privacy.erasures e where e.begun_at is not null and e.erased_at is null on conflict do nothing;
  return null;
end $$;
comment on function private.reach_new_archive() is 'What is archived while an erasure runs may hold what it has not come to in the log.';
create trigger archives_reached after insert on audit.archives for each row execute function private.reach_new_archive();

create or replace function audit.due_archive_erasures() returns table (
  approval_id uuid, archive_id uuid, recorded boolean, request text, person uuid, families uuid[], names text[], readings uuid[])
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform audit.archivist();
  return query
    select x.approval_id, x.archive_id, a.recorded_at is not null, x.request, coalesce(e.person, (p.plan ->> 'person')::uuid),
      coalesce(e.families, array(select f::uuid from jsonb_array_elements_text(coalesce(p.plan -> 'families', '[]')) f)),
      case when e.id is null then array(select n from jsonb_array_elements_text(coalesce(p.plan -> 'names', '[]')) n)
        else array(select i.value from privacy.erasure_identifiers i where i.erasure_id = e.id and i.names = any ('{name,email,phone}') order by 1) end, x.readings
    from audit.archive_erasures x join audit.archives a on a.id = x.archive_id join ops.approvals p on p.id = x.approval_id
      left join privacy.erasures e on e.approval_id = x.approval_id
    where x.done_at is null
    order by a.begun_at, a.id, x.approval_id;
end $$;

create or replace function private.refuse_held_erasure() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  held record;
begin
  select h.number, h.why, h.until into held
  from ops.approvals a, private.held_subjects() h
  where a.id = new.approval_id and a.plan ->> 'do' is distinct from 'replay' and (h.user_id = (a.plan ->> 'person')::uuid
    or h.family_id in (select f::uuid from jsonb_array_elements_text(coalesce(a.plan -> 'families', '[]')) f))
  order by h.why = 'legal_hold' desc, h.until desc nulls first limit 1;
  if found then
    perform private.fail('NS005', private.held_by(held.number, 'what would be erased') || case held.why when 'legal_hold' then ''
      else format('%s: it can still be complained of (PIPEDA s. 8(8))', coalesce(format(' until %s', held.until), '')) end, private.look_at_hold(held.number));
  end if;
  return new;
end $$;

-- What is on record of erasures never changes but as these functions do -----------------------------------------------------------------

create function private.guard_erasure() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  moving constant text[] := '{cancelled_at,cancelled_by,cancel_reason,begun_at,begun_by,ledger,erased_at,plan,proof,proven_at,certificate,certified_at,closed_at}';
begin
  if to_jsonb(new) - moving <> to_jsonb(old) - moving
    or (old.begun_at is not null or new.begun_at is null) and new.plan <> old.plan
    or old.cancelled_at is not null and to_jsonb(new) - 'cancel_reason' <> to_jsonb(old) - 'cancel_reason'
    or num_nonnulls(old.begun_at, old.erased_at) > num_nonnulls(new.begun_at, new.erased_at) or old.begun_at <> new.begun_at or old.ledger <> new.ledger
    or old.erased_at <> new.erased_at or old.closed_at is not null and to_jsonb(new) - '{certificate,certified_at,cancel_reason}'::text[] <> to_jsonb(old) - '{certificate,certified_at,cancel_reason}'::text[] then
    perform private.fail('NS005', format('what the erasure of request %s does never changes', old.request));
  end if;
  return new;
end $$;
create trigger erasures_guard before update on privacy.erasures for each row execute function private.guard_erasure();
create trigger erasures_no_delete before delete on privacy.erasures for each row execute function private.refuse_delete();
create trigger erasures_no_truncate before truncate on privacy.erasures execute function private.refuse_truncate();
create trigger erasure_batches_no_delete before delete on privacy.erasure_batches for each row execute function private.refuse_delete();
create trigger erasure_outside_no_delete before delete on privacy.erasure_outside for each row execute function private.refuse_delete();
create trigger erasure_outside_no_truncate before truncate on privacy.erasure_outside execute function private.refuse_truncate();
create trigger erasure_batches_no_truncate before truncate on privacy.erasure_batches execute function private.refuse_truncate();

do $$
declare
  t text;
  untold constant text := 'how an erasure went: the certificate says it';
begin
  foreach t in array '{erasures,erasure_steps,erasure_batches,erasure_identifiers,erasure_outside}'::text[] loop
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    continue when t = 'erasure_identifiers';
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_auditor using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_auditor', t);
  end loop;
  perform privacy.declare_path('privacy.erasures', 'person', 'direct', 'account', 'subject', 'person', 'public.users', 'id');
  perform privacy.declare_path('privacy.erasures', 'request', 'direct', 'request', 'subject', 'answers', 'privacy.requests', 'number');
  perform privacy.declare_path('privacy.erasures', 'approval', 'link', null, null, 'approval_id', 'ops.approvals', 'id');
  perform privacy.declare_path('privacy.erasures', 'by_' || by, 'direct', 'operator', 'subject', by, 'ops.operators', 'login') from unnest('{scheduled_by,cancelled_by,begun_by}'::text[]) by;
  perform privacy.declare('privacy.erasures', 'person families', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare('privacy.erasures', 'id request answers replays ground plan plan_hash catalogue approval_id scheduled_at due_at before cancelled_at begun_at ledger erased_at proof proven_at certificate certified_at closed_at', 'subject', 'request', 'access_record', 'observed', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare('privacy.erasures', 'cancel_reason', 'subject', 'account', 'access_record', 'reported', 'rights', 'audit', 'anonymize', withheld => untold);
  perform privacy.declare('privacy.erasures', 'scheduled_by cancelled_by begun_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare_path('privacy.erasure_identifiers', 'person', 'direct', 'account', 'subject', 'erasure_id', 'privacy.erasures', 'id');
  perform privacy.declare('privacy.erasure_identifiers', 'erasure_id names value', 'subject', 'account', 'identity', 'observed', 'rights', 'audit', 'keep', 'accountability', withheld => untold);
  perform privacy.declare_operational('privacy.erasure_outside', 'erasure_id recipient outcome reference settled_at', 'rights', 'audit');
  perform privacy.declare_path('privacy.erasure_outside', 'erasure', 'link', null, null, 'erasure_id', 'privacy.erasures', 'id');
  perform privacy.declare_path('privacy.erasure_outside', 'recipient', 'link', null, null, 'recipient', 'privacy.recipients', 'recipient');
  perform privacy.declare_path('privacy.erasure_outside', 'by_settled_by', 'direct', 'operator', 'subject', 'settled_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.erasure_outside', 'settled_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare_operational('privacy.erasure_steps', 'erasure_id at table_name rows_of does columns rows last_key done_at', 'rights', 'audit');
  perform privacy.declare_path('privacy.erasure_steps', 'erasure', 'link', null, null, 'erasure_id', 'privacy.erasures', 'id');
  perform privacy.declare_operational('privacy.erasure_batches', 'erasure_id number at rows xid done_at', 'rights', 'audit');
  perform privacy.declare_path('privacy.erasure_batches', 'erasure', 'link', null, null, 'erasure_id', 'privacy.erasures', 'id');
  perform privacy.declare_path('privacy.erasure_batches', 'by_done_by', 'direct', 'operator', 'subject', 'done_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.erasure_batches', 'done_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
end $$;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'erasures', 'select', 'always'), ('compliance', 'erasures', 'insert', 'always'), ('compliance', 'erasures', 'update', 'always'), ('auditor', 'erasures', 'select', 'always');
-- Whom it erased stands in the request. What is captured when it ends would name them for good.
select audit.attach('privacy.erasures', 'modification', redacted => '{person,families,plan,before}'), audit.attach('privacy.erasure_batches', 'modification', record => null), audit.attach('privacy.erasure_outside', 'modification', record => null);

revoke execute on all functions in schema privacy, private, audit from public;
grant execute on function privacy.erasure_approvable(text, text), privacy.schedule_erasure(text, text), privacy.cancel_erasure(text),
  privacy.begin_erasure(text), privacy.erasure_ledger(text), privacy.record_ledger(text, text), privacy.erase_batch(text, integer) to nestsync_compliance;
