-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where nobody was ever explained anything
-- seeds: audit.captured_tables

-- Support must find out why a person may not do something to a row, and must not read as that person to find out.
-- So the conditions of the policies are evaluated here, and only their truth leaves. The question is recorded first
-- and answered only from a later transaction, so no rollback hides it.
create table ops.access_explanations (
  id uuid primary key default gen_random_uuid(),
  operator text not null default session_user references ops.operators (login),
  duty text not null,
  person uuid not null,
  table_name text not null,
  row_key jsonb,
  command text not null,
  moment timestamptz,
  asked_at timestamptz not null default clock_timestamp(),
  asked_xid xid8 not null default pg_current_xact_id(),
  constraint access_explanations_command check (command in ('select', 'insert', 'update', 'delete')),
  constraint access_explanations_moment check (moment <= asked_at),
  constraint access_explanations_row_key check (jsonb_typeof(row_key) = 'object')
);
comment on table ops.access_explanations is
  'Every question why a person may or may not do something to a row: who asked, about whom, which table, row and command.';
comment on column ops.access_explanations.moment is 'The past moment that is asked about; null for now.';
create index access_explanations_operator_idx on ops.access_explanations (operator, asked_at desc);
create index access_explanations_person_idx on ops.access_explanations (person, asked_at desc);

create function private.stamp_explanation() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.operator := session_user;
  new.duty := private.session_duty();
  new.asked_at := clock_timestamp();
  new.asked_xid := pg_current_xact_id();
  return new;
end $$;
create trigger access_explanations_stamp before insert on ops.access_explanations
  for each row execute function private.stamp_explanation();
create trigger access_explanations_append_only before update or delete on ops.access_explanations
  for each row execute function private.refuse_delete();
create trigger access_explanations_no_truncate before truncate on ops.access_explanations
  execute function private.refuse_truncate();

create function private.owner_column(t regclass) returns text
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return case
    when t in ('public.families'::regclass, 'public.users'::regclass) then 'id'
    when t = 'public.role_permissions'::regclass then ''
    else (
      select a.attname::text from pg_catalog.pg_attribute a
      where a.attrelid = t and a.attname in ('family_id', 'user_id') and a.attnum > 0 and not a.attisdropped
        and (select c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') from pg_catalog.pg_class c where c.oid = t)
      order by a.attname limit 1)
  end;
comment on function private.owner_column(regclass) is
  'The column of a public table that names the family or else the person its rows belong to; empty where they belong to nobody, null where the table is none of ours.';

create function private.owner_kind(t regclass) returns text
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return case private.owner_column(t)
    when 'family_id' then 'family'
    when 'user_id' then 'person'
    when 'id' then case when t = 'public.families'::regclass then 'family' else 'person' end
  end;

create function private.in_granted_scope(kind text, owner uuid) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return kind is null or private.break_glass() or coalesce(case kind
    when 'family' then owner = any (private.granted_families())
    when 'person' then owner = any (private.granted_users()) end, false);

create function ops.ask_why(person uuid, table_name text, row_key jsonb, command text, moment timestamptz default null) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  t regclass := to_regclass(table_name);
  v_id uuid;
begin
  if private.session_duty() is null or private.session_duty() not in ('support', 'compliance', 'admin') then
    perform private.fail('NS004', 'access is explained under the duty support, compliance or admin');
  end if;
  if t is null or private.owner_column(t) is null then
    perform private.fail('NS006', format('there is no table %s whose rows belong to families or people', table_name));
  end if;
  if not private.in_granted_scope('person', person) then
    perform private.fail('NS002', format('no live access grant of yours covers person %s', person),
      format('nestctl access open --user %s --reason ''…'' --ticket …', person));
  end if;
  -- Only a key finds a row: any other column would let its values be guessed.
  if exists (
    select from jsonb_object_keys(row_key) k
    where not exists (
      select from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = t and i.indisprimary and a.attname = k)
  ) then
    perform private.fail('NS007', format('a row of %s is named by its key', t));
  end if;
  if moment > clock_timestamp() then
    perform private.fail('NS007', 'what is not yet past cannot be asked about');
  end if;
  insert into ops.access_explanations (duty, person, table_name, row_key, command, moment)
  values ('', ask_why.person, format('%s', t), ask_why.row_key, ask_why.command, ask_why.moment) returning id into v_id;
  return v_id;
end $$;
comment on function ops.ask_why(uuid, text, jsonb, text, timestamptz) is
  'Records the question why a person may or may not do something to a row, and returns its id. Commit, then read the answer with ops.explain.';

create function private.explained_person() returns uuid
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select e.person from ops.access_explanations e
    where e.id = nullif(current_setting('nestsync.explaining', true), '')::uuid
      and e.operator = session_user
      and e.duty = private.session_duty()
      and e.asked_at > clock_timestamp() - interval '2 minutes'
      and e.asked_xid is distinct from pg_current_xact_id_if_assigned()
      and current_setting('transaction_read_only') = 'on');
comment on function private.explained_person() is
  'The person whose access ops.explain evaluates in this transaction. Naming one by hand opens nothing: it counts only under a duty, in a read-only transaction, and no duty may call what policies of members call.';

-- Whoever acts for a person is asked here by all that policies of members call, member_families() among it.
create or replace function private.impersonates(person uuid) returns boolean
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
  return exists (
    select from ops.access_grants g
    where g.operator = session_user and g.kind = 'impersonation' and g.user_id = person and private.grant_is_live(g)
  ) or (nullif(current_setting('nestsync.explaining', true), '') is not null and coalesce(private.explained_person() = person, false));
end $$;
comment on function private.impersonates(uuid) is
  'Whether the operator behind this session has a live impersonation grant for a person, or ops.explain evaluates that person''s access.';

-- One row, by its text, so that conditions see all its columns under the table's own name.
create function private.truths(t regclass, row_text text, conditions text[]) returns text[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  source text := format('unnest(array[%L::%s]) as %I', row_text, t, (select c.relname from pg_catalog.pg_class c where c.oid = t));
  answers text[];
  answer text;
  condition text;
begin
  -- "and true" takes a boolean and nothing else, so that no value is ever turned into text here.
  execute format('select array[%s]::text[] from %s',
    (select string_agg(format('((%s) and true)', c), ', ' order by o) from unnest(conditions) with ordinality u (c, o)), source) into answers;
  return array(select coalesce(a, 'null') from unnest(answers) with ordinality u (a, o) order by o);
exception
  when others then
    -- One of them cannot be evaluated. Its message may quote the row: only its code leaves.
    answers := '{}';
    foreach condition in array conditions loop
      begin
        execute format('select ((%s) and true)::text from %s', condition, source) into answer;
        answers := answers || coalesce(answer, 'null');
      exception
        when others then answers := answers || sqlstate::text;
      end;
    end loop;
    return answers;
end $$;

-- What a membership comes to, and why: facts that the policies' helper looks at.
create function private.membership_facts(family uuid, person uuid, permissions text[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select jsonb_build_object(
      'family', (select jsonb_build_object('id', f.id, 'name', f.name, 'timezone', f.timezone, 'archived_at', f.archived_at)
        from public.families f where f.id = family),
      'account', (select u.status from public.users u where u.id = person),
      'membership', (select jsonb_build_object('id', m.id, 'role', m.role, 'status', m.status, 'joined_at', m.joined_at,
          'access_expires_at', m.access_expires_at, 'expired', coalesce(m.access_expires_at <= clock_timestamp(), false),
          'granted_permissions', m.granted_permissions, 'denied_permissions', m.denied_permissions)
        from public.family_members m where m.family_id = family and m.user_id = person),
      'invitation', (select jsonb_build_object('id', i.id, 'role', i.role, 'expires_at', i.expires_at,
          'status', case when i.status = 'pending' and i.expires_at <= clock_timestamp() then 'expired' else i.status end)
        from public.family_invitations i join public.users u on lower(u.email) = lower(i.email)
        where i.family_id = family and u.id = person order by i.status = 'pending' desc, i.created_at desc limit 1),
      'scopes', coalesce((select jsonb_object_agg(p, jsonb_build_object(
          'of_role', (select r.row_scope from public.role_permissions r where r.role = m.role and r.permission = p),
          'granted', private.permission_named(m.granted_permissions, p),
          'denied', private.permission_named(m.denied_permissions, p),
          'scope', private.effective_scope(m.role, m.granted_permissions, m.denied_permissions, p)))
        from unnest(permissions) p, public.family_members m where m.family_id = family and m.user_id = person), '{}'),
      'roles', coalesce((select jsonb_agg(jsonb_build_object('role', r.role, 'permission', r.permission, 'scope', r.row_scope))
        from public.role_permissions r where r.permission = any (permissions)), '[]')));

create function ops.explain(explanation uuid, old_conditions text[], new_conditions text[], permissions text[], new_values jsonb default null)
  returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  answer jsonb;
  e ops.access_explanations;
  t regclass;
  owner text;
  kind text;
  scope text;
  found_rows integer;
  old_row text;
  new_row text;
  new_owner uuid;
  row_owner uuid;
  defaults text;
  beyond text;
begin
  if current_setting('transaction_read_only') <> 'on' then
    perform private.fail('NS005', 'access is explained in a read-only transaction');
  end if;
  select a.* into e from ops.access_explanations a
  where a.id = explanation and a.operator = session_user and a.duty = private.session_duty() and a.moment is null
    and a.asked_at > clock_timestamp() - interval '2 minutes'
    and a.asked_xid is distinct from pg_current_xact_id_if_assigned();
  if e.id is null or not private.in_granted_scope('person', e.person) then
    perform private.fail('NS002', 'no committed question of yours answers to this id', 'Record it with ops.ask_why and commit before reading.');
  end if;
  t := e.table_name::regclass;
  owner := private.owner_column(t);
  kind := private.owner_kind(t);
  -- Nothing is evaluated here but what the table's policies say themselves, or a part of it.
  select c into beyond from unnest(old_conditions || new_conditions) c
  where not exists (
    select from pg_catalog.pg_policy p
    where p.polrelid = t
      and (strpos(pg_get_expr(p.polqual, p.polrelid), c) > 0 or strpos(pg_get_expr(p.polwithcheck, p.polrelid), c) > 0))
  limit 1;
  if beyond is not null then
    perform private.fail('NS005', format('this is no part of a policy of %s: %s', t, beyond), 'The policies changed meanwhile: ask again.');
  end if;

  if e.row_key is not null then
    scope := case when kind is null or private.break_glass() then 'true'
      when kind = 'family' then format('t.%I = any (private.granted_families())', owner)
      else format('t.%I = any (private.granted_users())', owner) end;
    execute format('select count(*), min(t::text), min(t.%I::text) from %s t where %s and %s', coalesce(nullif(owner, ''), 'role'), t, scope,
      (select string_agg(format('t.%I = (jsonb_populate_record(null::%s, $1)).%I', k, t, k), ' and ') from jsonb_object_keys(e.row_key) k))
      using e.row_key into found_rows, old_row, owner;
    if found_rows > 1 then
      perform private.fail('NS007', format('%s rows of %s have this key', found_rows, t), 'Name the whole key: --row ''{"family_id":"…","id":"…"}''.');
    end if;
    row_owner := case when kind is not null then owner::uuid end;
  end if;
  -- Whatever fails below undoes these with its transaction.
  perform set_config('nestsync.explaining', e.id::text, true), set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', e.person, 'role', 'authenticated')::text, true);

  if e.command = 'update' and old_row is not null then
    execute format('select jsonb_populate_record(%L::%s, $1)::text', old_row, t) using coalesce(new_values, '{}') into new_row;
  elsif e.command = 'insert' and new_values is not null then
    select string_agg(format('%L, to_jsonb(%s)', a.attname, pg_get_expr(d.adbin, d.adrelid)), ', ') into defaults
    from pg_catalog.pg_attribute a join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = t and a.attgenerated = '' and not new_values ? a.attname::text and pg_get_expr(d.adbin, d.adrelid) !~ 'nextval\(';
    execute format('select jsonb_populate_record(null::%s, jsonb_build_object(%s) || $1)::text', t, defaults) using new_values into new_row;
    execute format('select (%L::%s).%I::text', new_row, t, coalesce(nullif(private.owner_column(t), ''), 'role')) into owner;
    new_owner := case when kind is not null then owner::uuid end;
    if t not in ('public.families'::regclass, 'public.users'::regclass) and not private.in_granted_scope(kind, new_owner) then
      perform private.fail('NS002', 'no live access grant of yours covers what the new row would belong to');
    end if;
    row_owner := coalesce(row_owner, new_owner);
  end if;

  answer := jsonb_build_object(
    'row', case when e.row_key is null then null else old_row is not null end,
    'old', case when old_row is null or cardinality(old_conditions) = 0 then '[]' else to_jsonb(private.truths(t, old_row, old_conditions)) end,
    'new', case when new_row is null or cardinality(new_conditions) = 0 then '[]' else to_jsonb(private.truths(t, new_row, new_conditions)) end,
    'facts', case when kind = 'family' and row_owner is not null
      then private.membership_facts(row_owner, e.person, permissions)
      else jsonb_build_object('account', (select u.status from public.users u where u.id = e.person)) end);
  perform set_config('nestsync.explaining', '', true), set_config('request.jwt.claims', coalesce(claims, ''), true),
    set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
  return answer;
end $$;
comment on function ops.explain(uuid, text[], text[], text[], jsonb) is
  'Answers a committed question: the truth of parts of the table''s policies for that person, on the row as it is (old) and as it would become (new): true, false, null, or the SQLSTATE of what cannot be evaluated; and the facts of the membership. No value of the row leaves.';

alter table ops.access_explanations enable row level security;
alter table ops.access_explanations force row level security;
create policy access_explanations_owner_all on ops.access_explanations to current_user using (true) with check (true);
create policy access_explanations_self_select on ops.access_explanations for select
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));
grant select on ops.access_explanations to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

select audit.attach('ops.access_explanations', 'access', person => 'person');

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.ask_why(uuid, text, jsonb, text, timestamptz), ops.explain(uuid, text[], text[], text[], jsonb)
  to nestsync_support, nestsync_compliance, nestsync_admin;
