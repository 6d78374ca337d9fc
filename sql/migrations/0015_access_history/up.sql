-- kind: schema
-- locks: SHARE on audit.events for an index of few rows
-- transaction: yes
-- reversible: yes, where nobody was ever impersonated
-- seeds: audit.captured_tables

-- Acting as a person ---------------------------------------------------------------------------------------

create table ops.impersonations (
  id uuid primary key default gen_random_uuid(),
  operator text not null default session_user references ops.operators (login),
  duty text not null,
  person uuid not null,
  grant_id uuid not null references ops.access_grants (id),
  writes boolean not null,
  statement text not null,
  asked_at timestamptz not null default clock_timestamp(),
  constraint impersonations_statement check (char_length(statement) between 1 and 20000)
);
comment on table ops.impersonations is
  'Every statement that an operator ran, or was about to run, as another person, under which access grant. What a write changed is in the audit log under the same request, with the operator and the person.';
create index impersonations_operator_idx on ops.impersonations (operator, asked_at desc);
create index impersonations_person_idx on ops.impersonations (person, asked_at desc);
create index impersonations_grant_id_idx on ops.impersonations (grant_id);

create function private.stamp_impersonation() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  new.operator := session_user;
  new.duty := private.session_duty();
  new.asked_at := clock_timestamp();
  return new;
end $$;
create trigger impersonations_stamp before insert on ops.impersonations
  for each row execute function private.stamp_impersonation();
create trigger impersonations_append_only before update or delete on ops.impersonations
  for each row execute function private.refuse_delete();
create trigger impersonations_no_truncate before truncate on ops.impersonations
  execute function private.refuse_truncate();

create function ops.impersonate(person uuid, statement text, writes boolean) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  granted uuid;
  v_id uuid;
begin
  select g.id into granted from private.live_grants() g
  where g.kind = 'impersonation' and g.user_id = impersonate.person order by g.opened_at desc limit 1;
  if granted is null then
    perform private.fail('NS002', format('no live impersonation grant of yours covers person %s', person),
      format('nestctl access impersonate --user %s --reason ''…'' --ticket … -- ''select …''', person));
  end if;
  -- So that the record names the person too as who acts.
  perform set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', person, 'role', 'authenticated')::text, true);
  insert into ops.impersonations (duty, person, grant_id, writes, statement)
  values ('', impersonate.person, granted, impersonate.writes, impersonate.statement) returning id into v_id;
  perform set_config('request.jwt.claims', coalesce(claims, ''), true), set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
  return v_id;
end $$;
comment on function ops.impersonate(uuid, text, boolean) is
  'Records a statement that is about to be run as a person, under a live impersonation grant for them, and returns the record''s id. Commit before running it.';

create function private.policy_condition(t regclass, command text) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    with applying as (
      select p.polpermissive as permissive, format('(%s)', coalesce(pg_get_expr(p.polqual, p.polrelid), 'true')) as condition
      from pg_catalog.pg_policy p
      where p.polrelid = t and p.polcmd in ('*', case command when 'select' then 'r' when 'update' then 'w' when 'delete' then 'd' end)
        and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role('authenticated', r, 'USAGE')))
    select case when c.relrowsecurity then
        coalesce((select format('(%s)', string_agg(a.condition, ' or ')) from applying a where a.permissive), 'false')
        || coalesce((select string_agg(' and ' || a.condition, '') from applying a where not a.permissive), '')
      else 'true' end
    from pg_catalog.pg_class c where c.oid = t);
comment on function private.policy_condition(regclass, text) is
  'What the policies of a table let members select, update or delete, as one condition: some permissive policy and every restrictive one.';

create function ops.changeable_rows(person uuid, table_name text, command text) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  t regclass := to_regclass(table_name);
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  answer bigint;
begin
  if command is null or command not in ('select', 'update', 'delete') or t is null or private.owner_column(t) is null then
    perform private.fail('NS007', format('rows of %s cannot be counted for %s', table_name, command));
  end if;
  if not exists (select from private.live_grants() g where g.kind = 'impersonation' and g.user_id = changeable_rows.person) then
    perform private.fail('NS002', format('no live impersonation grant of yours covers person %s', person));
  end if;
  perform set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', person, 'role', 'authenticated')::text, true);
  execute format('select count(*) from %s where %s and %s', t, private.policy_condition(t, 'select'), private.policy_condition(t, command)) into answer;
  perform set_config('request.jwt.claims', coalesce(claims, ''), true), set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
  return answer;
end $$;
comment on function ops.changeable_rows(uuid, text, text) is
  'How many rows of a table the policies let a person select, or select and update or delete, under a live impersonation grant for them.';

create function ops.touched_rows() returns table (table_name text, operation text, touched bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select e.table_name, e.operation::text, count(*) from audit.events e
  where e.occurred_at >= transaction_timestamp() and e.xid = pg_current_xact_id_if_assigned() and e.session_login = session_user
  group by 1, 2 order by 1, 2;
end;
comment on function ops.touched_rows() is
  'What this transaction has changed so far, cascades and triggers among it: rows by table and operation, as the audit log has them.';

alter table ops.impersonations enable row level security;
alter table ops.impersonations force row level security;
create policy impersonations_owner_all on ops.impersonations to current_user using (true) with check (true);
create policy impersonations_self_select on ops.impersonations for select to nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) = 'auditor');
grant select on ops.impersonations to nestsync_auditor, nestsync_admin;
revoke all on ops.impersonations from public, anon, authenticated, service_role;

select audit.attach('ops.impersonations', 'access', person => 'person');

-- What was so at a past moment -------------------------------------------------------------------------------

-- Few rows, and what undoes a change of the roles' permissions must find them among all events.
-- On a partitioned table no index can be made concurrently.
-- squawk-ignore require-concurrent-index-creation
create index events_role_permissions_idx on audit.events (occurred_at) where table_name = 'public.role_permissions';

-- Snapshots count only where the owner's own login took them: their text is evaluated with the owner's rights.
create function private.is_owners(login text) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return exists (select from pg_catalog.pg_roles r where r.rolname = login and pg_has_role(r.oid, current_user, 'MEMBER'));
comment on function private.is_owners(text) is 'Whether a login is the owner of the schema, or may become it.';

create function private.catalogue_parts(snapshot ops.catalogue_snapshots, t regclass, and_calls text default '') returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    with recursive whole as (
      select coalesce(snapshot.content, (
        select s.content from ops.catalogue_snapshots s
        where s.hash = snapshot.hash and s.content is not null and private.is_owners(s.taken_by) order by s.id limit 1)) as content
    ), named as (
      select n.nspname::text as schema, c.relname::text as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = t
    ), policies as (
      select p.p from whole, named n, jsonb_array_elements(whole.content -> 'policies') p (p)
      where p ->> 'schema' = n.schema and p ->> 'table' = n.name
        and exists (select from jsonb_array_elements_text(p -> 'roles') r (name)
          where r.name = 'public' or r.name in (select o.rolname from pg_catalog.pg_roles o where pg_has_role('authenticated', o.oid, 'USAGE')))
    ), routines as (
      select r.r, (r ->> 'schema') || '.' || (r ->> 'name') as name, r ->> 'source' as source
      from whole, jsonb_array_elements(whole.content -> 'routines') r (r)
    ), reached as (
      select r.r, r.name, r.source, 0 as depth from routines r
      where strpos(and_calls || (select coalesce(string_agg(concat(p ->> 'using', ' ', p ->> 'check'), ' '), '') from policies), r.name || '(') > 0
      union
      select r.r, r.name, r.source, a.depth + 1 from reached a join routines r on a.depth < 12 and r.name <> a.name
        -- Who acts is given, and what finds it out is not asked.
        and a.name not in ('private.current_user_id', 'private.impersonates') and strpos(a.source, r.name || '(') > 0
    )
    select case when w.content is not null then jsonb_build_object(
      'taken_at', snapshot.taken_at,
      'relation', (select r from named n, jsonb_array_elements(w.content -> 'relations') r where r ->> 'schema' = n.schema and r ->> 'name' = n.name),
      'policies', (select coalesce(jsonb_agg(p.p order by p.p ->> 'name'), '[]') from policies p),
      'routines', (select coalesce(jsonb_agg(c.r order by c.depth desc, c.name, c.r ->> 'arguments'), '[]')
        from (select a.r, a.name, max(a.depth) as depth from reached a group by a.r, a.name) c)) end
    from whole w);
comment on function private.catalogue_parts(ops.catalogue_snapshots, regclass, text) is
  'What a snapshot of the catalogue says of a table: its relation, its policies for members and the functions that these call, callees first; null where nothing trustworthy is kept of it.';

create function private.explanation_asked(explanation uuid) returns ops.access_explanations
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e ops.access_explanations;
begin
  select a.* into e from ops.access_explanations a
  where a.id = explanation and a.operator = session_user and a.duty = private.session_duty()
    and a.asked_at > clock_timestamp() - interval '2 minutes'
    and a.asked_xid is distinct from pg_current_xact_id_if_assigned();
  if e.id is null or not private.in_granted_scope('person', e.person) then
    perform private.fail('NS002', 'no committed question of yours answers to this id', 'Record it with ops.ask_why and commit before reading.');
  end if;
  return e;
end $$;

create function private.snapshot_before(moment timestamptz) returns ops.catalogue_snapshots
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select s from ops.catalogue_snapshots s
    where s.taken_at <= moment and private.is_owners(s.taken_by) order by s.taken_at desc, s.id desc limit 1);

create function ops.catalogue_at(explanation uuid) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e ops.access_explanations := private.explanation_asked(explanation);
  later ops.catalogue_snapshots;
  t regclass := e.table_name::regclass;
begin
  select s.* into later from ops.catalogue_snapshots s
  where s.taken_at > e.moment and private.is_owners(s.taken_by) order by s.taken_at, s.id limit 1;
  return jsonb_build_object(
    'before', private.catalogue_parts(private.snapshot_before(e.moment), t),
    'after', case when later.id is not null then private.catalogue_parts(later, t) end,
    'recovered', exists (select from audit.epochs p where p.began_at > e.moment and p.epoch > 1));
end $$;
comment on function ops.catalogue_at(uuid) is
  'For a committed question about a past moment: the table''s policies and what they call, as the snapshots before and after it have them (after is null where there is none yet), and whether a recovery began another epoch since.';

-- Rows as they were are found from those there are now, by undoing what was changed since: so rows that were there
-- before anything was captured are found too.
create function private.rows_at(
  t regclass, owners uuid[], record uuid, moment timestamptz, not_yet xid8[],
  out images jsonb, out uncertain xid8[], out gaps text[]
)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 as $$
declare
  label text := (select n.nspname || '.' || c.relname from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = t);
  owner text := private.owner_column(t);
  kind text := private.owner_kind(t);
  -- Without commit timestamps a transaction is taken to have committed within so long of its event, and to be uncertain meanwhile.
  patience constant interval := interval '10 seconds';
  -- With them, how far back an event can be of a transaction that was still open.
  longest constant interval := interval '1 day';
  timed boolean := current_setting('track_commit_timestamp') = 'on';
  keys text[];
  e audit.events;
  committed timestamptz;
  event_key text;
  gone boolean;
begin
  uncertain := '{}';
  gaps := '{}';
  select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum)) into keys
  from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
  where i.indrelid = t and i.indisprimary;
  execute format('select coalesce(jsonb_object_agg(concat_ws(''/'', %s), to_jsonb(x)), ''{}'') from %s x where %s and %s',
    (select string_agg(format('x.%I', k), ', ' order by o) from unnest(keys) with ordinality u (k, o)), t,
    case when owner = '' then 'true' else format('x.%I = any ($1)', owner) end,
    case when record is null or not 'id' = any (keys) then 'true' else 'x.id = $2' end)
    using owners, record into images;
  for e in execute format('select v.* from audit.events v where v.table_name = %L and v.occurred_at > $1 and %s and %s order by v.id desc', label,
    case kind when 'family' then 'v.family_id = any ($2)' when 'person' then 'v.subject_user = any ($2)' else 'true' end,
    case when record is null then 'true' else 'v.record_id = $3' end)
    using moment - case when timed then longest else patience end, owners, record
  loop
    committed := null;
    if e.occurred_at <= moment then
      if timed and e.epoch = audit.current_epoch() then
        committed := pg_xact_commit_timestamp(e.xid::xid);
      end if;
      if committed is null then
        continue when e.occurred_at <= moment - patience;
        if not e.xid = any (uncertain) then
          uncertain := uncertain || e.xid;
        end if;
        continue when not e.xid = any (not_yet);
      else
        continue when committed <= moment;
      end if;
    end if;
    event_key := coalesce(e.record_key, concat_ws('/', case owner when 'family_id' then e.family_id when 'user_id' then e.subject_user end, e.record_id));
    gone := not images ? event_key;
    if e.erased_requests is not null and e.operation <> 'INSERT' then
      gaps := gaps || format('of event %s a part was erased', e.id);
    end if;
    case e.operation
      when 'INSERT' then
        images := images - event_key;
      when 'DELETE' then
        images := images || jsonb_build_object(event_key, coalesce(audit.image(e.old_row, e.named_columns, e.named_old), '{}'));
      else
        if gone then
          gaps := gaps || format('event %s changed a row of %s that is not there', e.id, label);
        else
          images := images || jsonb_build_object(event_key, (images -> event_key) || coalesce(audit.image(e.old_row, e.named_columns, e.named_old), '{}'));
        end if;
    end case;
  end loop;
end $$;
comment on function private.rows_at(regclass, uuid[], uuid, timestamptz, xid8[]) is
  'The rows of some owners (of role_permissions all), or one of them by its id, as they were committed at a moment, by key. Transactions of which it cannot be told whether they had committed are named in uncertain, and taken to have, but for those in not_yet; what cannot be found out is named in gaps.';

create function private.rewound(source text, routines text[], tables text[]) returns text
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
  r text;
begin
  source := replace(source, 'private.current_user_id()', 'pg_temp.the_person()');
  source := replace(source, 'auth.uid()', 'pg_temp.the_person()');
  source := replace(source, 'private.impersonates(', 'pg_temp.impersonates(');
  foreach r in array routines loop
    source := replace(source, r || '(', 'pg_temp.' || split_part(r, '.', 2) || '(');
  end loop;
  if cardinality(tables) > 0 then
    source := regexp_replace(source, '\mpublic\.(' || array_to_string(tables, '|') || ')\M', 'pg_temp.\1', 'g');
  end if;
  source := regexp_replace(source, '(\mpg_catalog\.)?\m(clock_timestamp|statement_timestamp|transaction_timestamp|now)\(\)', 'pg_temp.the_moment()', 'gi');
  source := regexp_replace(source, '\m(current_timestamp|localtimestamp)\M', 'pg_temp.the_moment()', 'gi');
  return regexp_replace(source, '\mcurrent_date\M', '(pg_temp.the_moment()::date)', 'gi');
end $$;
comment on function private.rewound(text, text[], text[]) is
  'A condition or a function''s text, as it asks copies in pg_temp: of functions, of tables, of the clock, and of who acts.';

create function ops.explain_at(
  explanation uuid, old_conditions text[], new_conditions text[], permissions text[], new_values jsonb default null, not_yet xid8[] default '{}'
) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e ops.access_explanations := private.explanation_asked(explanation);
  t regclass := e.table_name::regclass;
  owner text := private.owner_column(t);
  kind text := private.owner_kind(t);
  parts jsonb := private.catalogue_parts(private.snapshot_before(e.moment), t, 'private.membership_facts(');
  routines text[];
  tables text[];
  texts text;
  beyond text;
  owners uuid[];
  row_id uuid := (e.row_key ->> 'id')::uuid;
  past record;
  found_rows integer := 0;
  old_image jsonb;
  old_row text;
  new_row text;
  row_owner uuid;
  new_owner uuid;
  defaults text;
  families uuid[];
  people uuid[];
  other regclass;
  r jsonb;
  uncertain xid8[] := '{}';
  gaps text[] := '{}';
  facts jsonb;
  answer jsonb;
begin
  if e.moment is null then
    perform private.fail('NS007', 'this question is not about a past moment');
  end if;
  if parts is null then
    perform private.fail('NS006', 'no snapshot of the catalogue is as old as that moment');
  end if;
  select c into beyond from unnest(old_conditions || new_conditions) c
  where not exists (select from jsonb_array_elements(parts -> 'policies') p where strpos(p ->> 'using', c) > 0 or strpos(p ->> 'check', c) > 0)
  limit 1;
  if beyond is not null then
    perform private.fail('NS005', format('this was no part of a policy of %s then: %s', t, beyond));
  end if;

  -- The row as it was, under whichever owner it was then: a child may have moved since.
  if e.row_key is not null then
    if owner = '' then
      owners := '{}';
    elsif owner = 'id' then
      owners := array[row_id];
    else
      -- By the log's index, then within what is granted: an id alone is the beginning of no table's key.
      owners := array(
        select distinct case kind when 'family' then v.family_id else v.subject_user end from audit.events v
        where v.record_id = row_id and v.table_name = (select n.nspname || '.' || c.relname from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = t));
      execute format('select $2 || array(select x.%1$I from %2$s x where x.id = $1 and (x.%1$I = any ($3) or ($4 and private.break_glass())))', owner, t)
        into owners using row_id, owners, case kind when 'family' then private.granted_families() else private.granted_users() end,
          cardinality(owners) = 0;
      owners := array_remove(owners, null);
    end if;
    select * into past from private.rows_at(t, owners, row_id, e.moment, not_yet);
    uncertain := past.uncertain;
    gaps := past.gaps;
    select count(*)::int, (array_agg(i.value))[1] into found_rows, old_image
    from jsonb_each(past.images) i
    where i.value @> case when e.row_key ? 'id' then jsonb_build_object('id', row_id) else e.row_key end;
    if found_rows > 1 then
      perform private.fail('NS007', format('%s rows of %s had this key', found_rows, t), 'Name the whole key: --row ''{"family_id":"…","id":"…"}''.');
    end if;
    row_owner := case when kind is not null then (old_image ->> owner)::uuid end;
    if old_image is not null and not private.in_granted_scope(kind, row_owner) then
      old_image := null;
    end if;
  end if;

  begin
    perform set_config('request.jwt.claim.sub', '', true),
      set_config('request.jwt.claims', jsonb_build_object('sub', e.person, 'role', 'authenticated')::text, true);
    execute format('create function pg_temp.the_moment() returns timestamptz language sql immutable return %L::timestamptz', e.moment);
    execute format('create function pg_temp.the_person() returns uuid language sql immutable return %L::uuid', e.person);
    create function pg_temp.impersonates(uuid) returns boolean language sql immutable return true;
    routines := array(select distinct (c ->> 'schema') || '.' || (c ->> 'name') from jsonb_array_elements(parts -> 'routines') c
      where (c ->> 'schema') || '.' || (c ->> 'name') not in ('private.current_user_id', 'private.impersonates', 'private.explained_person'));
    texts := (select string_agg(concat(p ->> 'using', ' ', p ->> 'check'), ' ') from jsonb_array_elements(parts -> 'policies') p);
    texts := concat(texts, ' ', (select string_agg(c ->> 'source', ' ') from jsonb_array_elements(parts -> 'routines') c
      where (c ->> 'schema') || '.' || (c ->> 'name') = any (routines)));
    tables := array(
      select c.relname::text from audit.captured_tables k join pg_catalog.pg_class c on c.oid = k.table_name
      where c.relnamespace = 'public'::regnamespace and texts ~ ('\mpublic\.' || c.relname || '\M'));
    gaps := gaps || array(
      select format('%I.%I as it is now', n.nspname, c.relname) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'private', 'ops', 'audit') and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
        and not (n.nspname = 'public' and c.relname::text = any (tables)) and c.oid <> 'private.app_logins'::regclass
        and texts ~ ('\m' || n.nspname || '\.' || c.relname || '\M'));

    if e.command = 'insert' and new_values is not null then
      select string_agg(format('%L, to_jsonb(%s)', a.attname, private.rewound(pg_get_expr(d.adbin, d.adrelid), routines, tables)), ', ') into defaults
      from pg_catalog.pg_attribute a join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = t and a.attgenerated = '' and not new_values ? a.attname::text and pg_get_expr(d.adbin, d.adrelid) !~ 'nextval\(';
      execute format('select jsonb_populate_record(null::%s, jsonb_build_object(%s) || $1)::text', t, defaults) using new_values into new_row;
      execute format('select to_jsonb(%L::%s) ->> %L', new_row, t, coalesce(nullif(owner, ''), 'role')) into new_owner;
    end if;
    people := array_remove(array[e.person, case kind when 'person' then coalesce(row_owner, new_owner) end], null);
    families := array(
      select coalesce(row_owner, new_owner) where kind = 'family'
      union select m.family_id from public.family_members m where m.user_id = e.person
      union select v.family_id from audit.events v where v.subject_user = e.person and v.table_name = 'public.family_members');
    families := array_remove(families, null);

    for other in select k.table_name from audit.captured_tables k join pg_catalog.pg_class c on c.oid = k.table_name
      where c.relnamespace = 'public'::regnamespace and c.relname::text = any (tables)
    loop
      select * into past from private.rows_at(other, case private.owner_kind(other) when 'family' then families else people end, null, e.moment, not_yet);
      uncertain := array(select unnest(uncertain || past.uncertain) union select null::xid8 where false);
      gaps := gaps || past.gaps;
      execute format('create temporary table %I as select x.* from jsonb_populate_recordset(null::%s, %L) x',
        (select c.relname from pg_catalog.pg_class c where c.oid = other), other,
        (select coalesce(jsonb_agg(i.value), '[]') from jsonb_each(past.images) i));
    end loop;
    for r in select c from jsonb_array_elements(parts -> 'routines') with ordinality u (c, o)
      where (c ->> 'schema') || '.' || (c ->> 'name') = any (routines) and c ->> 'kind' = 'function' and c ->> 'result' <> 'trigger' order by o
    loop
      execute format('create function pg_temp.%I(%s) returns %s language %I %s security definer set search_path = pg_catalog, pg_temp %s',
        r ->> 'name', private.rewound(r ->> 'arguments', routines, tables), r ->> 'result', r ->> 'language', r ->> 'volatility',
        case when r ->> 'source' ~* '^\s*(return|begin atomic)\M' and r ->> 'language' = 'sql' then private.rewound(r ->> 'source', routines, tables)
          else format('as %L', private.rewound(r ->> 'source', routines, tables)) end);
    end loop;

    if old_image is not null then
      execute format('select x::text from jsonb_populate_record(null::%s, $1) x', t) using old_image into old_row;
    end if;
    if e.command = 'update' and old_row is not null then
      execute format('select jsonb_populate_record(%L::%s, $1)::text', old_row, t) using coalesce(new_values, '{}') into new_row;
    end if;
    if new_owner is not null and t not in ('public.families'::regclass, 'public.users'::regclass) and not private.in_granted_scope(kind, new_owner) then
      perform private.fail('NS002', 'no live access grant of yours covers what the new row would belong to');
    end if;
    row_owner := coalesce(row_owner, new_owner);
    if to_regprocedure('pg_temp.membership_facts(uuid,uuid,text[])') is not null and kind = 'family' and row_owner is not null and (old_row is not null or new_row is not null) then
      execute 'select pg_temp.membership_facts($1, $2, $3)' into facts using row_owner, e.person, permissions;
    elsif 'users' = any (tables) then
      execute 'select jsonb_build_object(''account'', (select u.status from pg_temp.users u where u.id = $1))' into facts using e.person;
    end if;
    answer := jsonb_build_object(
      'row', case when e.row_key is null then null else old_row is not null end,
      'old', case when old_row is null or cardinality(old_conditions) = 0 then '[]' else to_jsonb(private.truths(t, old_row,
        array(select private.rewound(c, routines, tables) from unnest(old_conditions) with ordinality u (c, o) order by o))) end,
      'new', case when new_row is null or cardinality(new_conditions) = 0 then '[]' else to_jsonb(private.truths(t, new_row,
        array(select private.rewound(c, routines, tables) from unnest(new_conditions) with ordinality u (c, o) order by o))) end,
      'facts', coalesce(facts, jsonb_build_object('account', null)),
      'uncertain', to_jsonb(array(select u::text from unnest(uncertain) u order by 1)),
      'gaps', to_jsonb(gaps));
    -- Undoes every copy; what was found stays in the variables.
    raise exception using errcode = 'NS0UN';
  exception
    when sqlstate 'NS0UN' then
      return answer;
  end;
end $$;
comment on function ops.explain_at(uuid, text[], text[], text[], jsonb, xid8[]) is
  'Answers a committed question about a past moment as ops.explain does for now: policies and their functions from the catalogue''s snapshot before it, the facts from the audit log. Transactions of which it cannot be told whether they had committed are in uncertain and are taken to have, but for those in not_yet; gaps names what could not be found out. Leaves nothing behind.';

-- How many rows ----------------------------------------------------------------------------------------------

create function ops.explain_counts(explanation uuid, family uuid, conditions text[]) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e ops.access_explanations := private.explanation_asked(explanation);
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  t regclass := e.table_name::regclass;
  owner text := private.owner_column(t);
  kind text := private.owner_kind(t);
  beyond text;
  answer jsonb;
begin
  if current_setting('transaction_read_only') <> 'on' then
    perform private.fail('NS005', 'access is explained in a read-only transaction');
  end if;
  if e.moment is not null or e.command = 'insert' then
    perform private.fail('NS007', 'rows are counted as they are now');
  end if;
  if kind = 'family' and (family is null or not private.in_granted_scope('family', family)) then
    perform private.fail('NS002', 'rows are counted within a family that a live access grant of yours covers');
  end if;
  select c into beyond from unnest(conditions) c
  where not exists (
    select from pg_catalog.pg_policy p
    where p.polrelid = t and (strpos(pg_get_expr(p.polqual, p.polrelid), c) > 0 or strpos(pg_get_expr(p.polwithcheck, p.polrelid), c) > 0))
  limit 1;
  if beyond is not null then
    perform private.fail('NS005', format('this is no part of a policy of %s: %s', t, beyond), 'The policies changed meanwhile: ask again.');
  end if;
  perform set_config('nestsync.explaining', e.id::text, true), set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', e.person, 'role', 'authenticated')::text, true);
  execute format('select jsonb_build_object(''rows'', count(*), ''open'', count(*) filter (where (%s) and (%s)), ''holds'', jsonb_build_array(%s)) from %s where %s',
    private.policy_condition(t, 'select'), private.policy_condition(t, e.command),
    coalesce((select string_agg(format('count(*) filter (where (%s))', c), ', ' order by o) from unnest(conditions) with ordinality u (c, o)), ''), t,
    case kind when 'family' then format('%I = %L', owner, family) when 'person' then format('%I = %L', owner, e.person) else 'true' end)
    into answer;
  perform set_config('nestsync.explaining', '', true), set_config('request.jwt.claims', coalesce(claims, ''), true),
    set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
  return answer;
end $$;
comment on function ops.explain_counts(uuid, uuid, text[]) is
  'For a committed question: how many rows of the table a family has (of tables of people: the person), for how many of them the policies let the person do what is asked, and for how many each of some parts of the policies holds.';

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.impersonate(uuid, text, boolean), ops.changeable_rows(uuid, text, text), ops.touched_rows() to nestsync_admin;
grant execute on function ops.catalogue_at(uuid), ops.explain_at(uuid, text[], text[], text[], jsonb, xid8[]), ops.explain_counts(uuid, uuid, text[])
  to nestsync_support, nestsync_compliance, nestsync_admin;
