-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nothing was looked for
-- seeds: ops.duty_permissions, audit.captured_tables, privacy.paths, privacy.column_answers

-- A restore brings back whom an erasure took, and forgets the erasure. The ledger, which is kept outside, knows them again by
-- keyed hashes whose key never comes here: so whoever has come back is told by the console, which is shown by what everybody
-- is known, once it is on record that it looks.

create table privacy.ledger_looks (
  id uuid primary key default gen_random_uuid(),
  looked_at timestamptz not null default clock_timestamp(),
  looked_by text not null default session_user references ops.operators (login),
  looked_xid xid8 not null default pg_current_xact_id(),
  entries integer not null,
  head text not null,
  accounts bigint,
  found jsonb,
  ended_at timestamptz,
  constraint ledger_looks_entries check (entries >= 0),
  constraint ledger_looks_head check (head ~ '^[0-9a-f]{64}$'),
  constraint ledger_looks_ended check (num_nulls(accounts, found, ended_at) in (0, 3) and accounts >= 0)
);
create index ledger_looks_by_idx on privacy.ledger_looks (looked_by);
comment on table privacy.ledger_looks is 'When it was looked for whom the ledger of erasures knows, over all accounts, and how many of its entries had come back.';
comment on column privacy.ledger_looks.entries is 'Of the ledger then.';
comment on column privacy.ledger_looks.head is 'SHA-256 of the last record of the ledger''s chain then, hex.';
comment on column privacy.ledger_looks.found is 'How many entries were found how: gone, back, unfinished, another, part or unknown.';

create function private.guard_look() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if old.ended_at is not null or to_jsonb(new) - '{accounts,found,ended_at}'::text[] <> to_jsonb(old) - '{accounts,found,ended_at}'::text[] then
    perform private.fail('NS005', 'when it was looked for who has come back never changes');
  end if;
  return new;
end $$;
create trigger ledger_looks_guard before update on privacy.ledger_looks for each row execute function private.guard_look();
create trigger ledger_looks_no_delete before delete on privacy.ledger_looks for each row execute function private.refuse_delete();
create trigger ledger_looks_no_truncate before truncate on privacy.ledger_looks execute function private.refuse_truncate();
alter table privacy.ledger_looks enable row level security;
alter table privacy.ledger_looks force row level security;
create policy ledger_looks_owner_all on privacy.ledger_looks to current_user using (true) with check (true);
create policy ledger_looks_staff_select on privacy.ledger_looks for select to nestsync_compliance, nestsync_sre, nestsync_auditor
  using ((select private.session_duty()) is not null);
grant select on privacy.ledger_looks to nestsync_compliance, nestsync_sre, nestsync_auditor;

create function privacy.begin_look(entries integer, head text) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  made uuid;
begin
  perform private.require_request_duty();
  insert into privacy.ledger_looks (entries, head) values (entries, head) returning id into made;
  return made;
end $$;
comment on function privacy.begin_look(integer, text) is 'Puts on record that all accounts are looked through for whom the ledger knows: so many entries, the last record with this SHA-256.';

create function private.my_look(look uuid) returns privacy.ledger_looks
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  l privacy.ledger_looks;
begin
  perform private.require_request_duty();
  select x.* into l from privacy.ledger_looks x
  where x.id = look and x.looked_by = session_user and x.ended_at is null and x.looked_xid is distinct from pg_current_xact_id_if_assigned()
    and x.looked_at > clock_timestamp() - interval '1 day';
  if not found then
    perform private.fail('NS002', 'no look of yours has begun under this id', 'Record it with privacy.begin_look and commit before reading.');
  end if;
  return l;
end $$;

create function privacy.known_accounts(look uuid, after uuid, wanted integer) returns table (person uuid, names text, value text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.my_look(look);
  return query
    with page as (select u.id, u.email, u.phone_number from public.users u where after is null or u.id > after order by u.id limit wanted)
    select distinct p.id, k.names, k.value from page p cross join lateral (
      select 'person', p.id::text
      union all select 'email', lower(btrim(p.email::text))
      union all select 'phone', right(regexp_replace(p.phone_number::text, '\D', '', 'g'), 10)
      union all select x.names, x.value from public.family_members m left join public.children c on c.family_id = m.family_id
        cross join lateral (values ('family', m.family_id::text), ('child', c.id::text)) x (names, value) where m.user_id = p.id
      union all select 'device', lower(btrim(d)) from public.notification_preferences n cross join lateral unnest(n.device_tokens) d where n.user_id = p.id
      union all select 'stripe', lower(btrim(v)) from public.subscriptions s cross join lateral (values (s.stripe_customer_id::text), (s.stripe_subscription_id::text)) y (v) where s.user_id = p.id
    ) k (names, value)
    where k.value <> '' order by 1;
end $$;
comment on function privacy.known_accounts(uuid, uuid, integer) is
  'By what so many accounts are known, in the order of their ids, spelled as the ledger has them: person, email, phone, family, child, device, stripe. For a committed look of one''s own.';

create function privacy.end_look(look uuid, accounts bigint, counts jsonb) returns privacy.ledger_looks
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l privacy.ledger_looks := private.my_look(look);
begin
  update privacy.ledger_looks x set accounts = end_look.accounts, found = end_look.counts, ended_at = clock_timestamp() where x.id = l.id returning x.* into l;
  return l;
end $$;
comment on function privacy.end_look(uuid, bigint, jsonb) is 'Puts on record what came of a look: how many accounts, and how many entries were found how.';

-- Erasing again ------------------------------------------------------------------------------------------------------------------------

create function privacy.replay_approvable(record text, ledger text, person uuid, families uuid[]) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  content constant jsonb := private.ledger_statement(ledger) #> '{predicate,content}';
begin
  perform private.require_request_duty();
  return jsonb_build_object('do', 'replay', 'record', record, 'sha256', encode(sha256(convert_to(ledger, 'UTF8')), 'hex'), 'erasure', content -> 'erasure',
    'request', record, 'answered', content -> 'request', 'ground', content -> 'ground', 'person', person,
    'families', array(select distinct f from unnest(families) f order by 1));
end $$;
comment on function privacy.replay_approvable(text, text, uuid, uuid[]) is 'What a second operator approves before privacy.replay_erasure: which record of the ledger, of whom, and which families go again.';

create function private.replay_steps(policy jsonb, steps jsonb) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(x.step order by x.part, x.at), '[]') from (
    -- What they had none of then is as the data map says now.
    select 1 as part, s.at, s.step from jsonb_array_elements(steps) with ordinality s (step, at)
    where not exists (select from jsonb_array_elements(policy) p where (p ->> 'table', p ->> 'rows_of') = (s.step ->> 'table', s.step ->> 'rows_of'))
    union all
    select 2, p.at, p.entry || jsonb_build_object('rows', coalesce((
      select max((s ->> 'rows')::bigint) from jsonb_array_elements(steps) s where (s ->> 'table', s ->> 'rows_of') = (p.entry ->> 'table', p.entry ->> 'rows_of')), 0))
    from jsonb_array_elements(policy) with ordinality p (entry, at)
    -- A restore may bring back tables and columns as they were before, too.
    where to_regclass(p.entry ->> 'table') is not null and not exists (
      select from jsonb_array_elements_text(coalesce(p.entry -> 'columns', '[]')) c where not exists (
        select from pg_catalog.pg_attribute a where a.attrelid = to_regclass(p.entry ->> 'table') and a.attname = c and not a.attisdropped))) x;
end;
comment on function private.replay_steps(jsonb, jsonb) is
  'The steps of an erasure that is run again: to rows of each kind what was done to them then, and what the data map says of those that there were none of.';

create function privacy.replay_erasure(record text, ledger text, person uuid, families uuid[]) returns privacy.erasures
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  content constant jsonb := private.ledger_statement(ledger) #> '{predicate,content}';
  at constant timestamptz := clock_timestamp();
  e privacy.erasures;
  fates jsonb;
  kin uuid[];
  plan jsonb;
  approval uuid;
  held text;
begin
  perform private.require_request_duty();
  if record !~ '^erasures/[1-9][0-9]*$' or jsonb_typeof(content -> 'policy') is distinct from 'array' or content ->> 'erasure' is null then
    perform private.fail('NS007', 'that is no entry of the ledger of erasures');
  end if;
  perform from public.users u where u.id = replay_erasure.person for update;
  if not found then
    perform private.fail('NS006', format('there is no account %s', replay_erasure.person));
  end if;
  select x.* into e from privacy.erasures x where x.person = replay_erasure.person and x.cancelled_at is null and x.erased_at is null for update;
  if e.begun_at is not null then
    perform private.fail('NS005', format('%s erases them already', e.request), format('nestctl erasure run %s', e.request));
  end if;
  if (select count(distinct f) from unnest(replay_erasure.families) f) > (content ->> 'families')::integer
    or exists (select from unnest(replay_erasure.families) f where not exists (select from public.family_members m where (m.family_id, m.user_id) = (f, replay_erasure.person))) then
    perform private.fail('NS007', 'only families that went with them then, and that they are in, go again');
  end if;
  held := private.hold_on(person, families, true, ledger);
  if held is not null then
    perform private.fail('NS005', private.held_by(held, 'what would be erased'), private.look_at_hold(held));
  end if;
  approval := ops.use_approval('erasure', privacy.replay_approvable(record, ledger, person, families));
  -- What was scheduled then has been run since.
  update privacy.erasures x set cancelled_at = at, cancelled_by = session_user, cancel_reason = format('run again as %s', record) where x.id = e.id;
  select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('fate', case when f.family_id = any (replay_erasure.families) then 'goes' else 'stays' end) order by f.family_id), '[]'),
    coalesce(array_agg(f.family_id order by f.family_id) filter (where f.family_id <> all (replay_erasure.families)), '{}')
  into fates, kin from private.erasure_fates(person) f;
  plan := jsonb_build_object('request', record, 'person', person, 'families', fates, 'catalogue', private.catalogue_digest(), 'policy', content -> 'policy',
    'steps', private.replay_steps(content -> 'policy', private.plan_steps(person, families, kin)), 'outside', private.plan_outside(person));
  insert into privacy.erasures (request, replays, person, families, ground, plan, plan_hash, catalogue, approval_id, scheduled_at, due_at, before, begun_at, begun_by, ledger)
  values (record, (content ->> 'erasure')::uuid, person, array(select distinct f from unnest(families) f order by 1), content ->> 'ground', plan, private.plan_digest(plan),
    plan ->> 'catalogue', approval, at, at, '{}', at, session_user, ledger)
  returning * into e;
  -- Nobody signs in as them meanwhile.
  update public.users u set status = 'pending_deletion' where u.id = e.person and u.status <> 'pending_deletion';
  update public.notification_preferences n set push_enabled = false, email_enabled = false, sms_enabled = false where n.user_id = e.person;
  perform private.start_batches(e);
  return e;
end $$;
comment on function privacy.replay_erasure(text, text, uuid, uuid[]) is
  'Begins to erase again somebody whom a restore has brought back: under an approval of privacy.replay_approvable, by what was done then, whatever has come back with them. A legal hold that was placed since stands against it, and nothing else. record, ledger: the entry and its envelope; families: of those that went then, the ones that are back.';

create function privacy.coreless_families(number text) returns uuid[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.require_request_duty();
  return array(
    select (f ->> 'family_id')::uuid from privacy.erasures e cross join lateral jsonb_array_elements(e.plan -> 'families') f
    where e.request = coreless_families.number and e.replays is not null and f ->> 'fate' = 'stays' and f ->> 'role' = 'family_core'
      and exists (select from public.family_members m where m.family_id = (f ->> 'family_id')::uuid and m.status = 'active')
      and not exists (select from public.family_members m where m.family_id = (f ->> 'family_id')::uuid and m.status = 'active' and m.role = 'family_core')
    order by 1);
end $$;
comment on function privacy.coreless_families(text) is 'Families that an erasure which was run again has left without a family_core member: the transfer of the role was lost with the restore.';

do $$
begin
  perform privacy.declare_operational('privacy.ledger_looks', 'id looked_at looked_xid entries head accounts found ended_at', 'rights', 'audit');
  perform privacy.declare_path('privacy.ledger_looks', 'by_looked_by', 'direct', 'operator', 'subject', 'looked_by', 'ops.operators', 'login');
  perform privacy.declare('privacy.ledger_looks', 'looked_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability');
end $$;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'ledger_looks', 'select', 'always'), ('compliance', 'ledger_looks', 'insert', 'always'), ('compliance', 'ledger_looks', 'update', 'always'),
  ('sre', 'ledger_looks', 'select', 'always'), ('auditor', 'ledger_looks', 'select', 'always');
select audit.attach('privacy.ledger_looks', 'modification');
do $$
begin
  -- That somebody looked is no change of theirs.
  execute replace(pg_get_functiondef('audit.receipt()'::regprocedure), 'ops.impersonations}', 'ops.impersonations,privacy.ledger_looks}');
end $$;

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.begin_look(integer, text), privacy.known_accounts(uuid, uuid, integer), privacy.end_look(uuid, bigint, jsonb),
  privacy.replay_approvable(text, text, uuid, uuid[]), privacy.replay_erasure(text, text, uuid, uuid[]), privacy.coreless_families(text) to nestsync_compliance;
