-- kind: schema
-- locks: none
-- transaction: yes
-- reversible: yes
-- seeds: none

-- What erasing a person would do: from the data map, which says what becomes of each column, and from the live catalogue,
-- which says what hangs on what. Reads only. The plan is bound by a hash to both, and to what it counted.

create function private.erasure_fates(person uuid)
  returns table (family_id uuid, role text, status text, fate text, why text, members integer, children integer)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select m.family_id, m.role, m.status, x.fate, x.why, o.others, c.children
  from public.family_members m
    cross join lateral (
      select count(*)::integer as others, count(*) filter (where x.role = 'family_core' and x.status = 'active' and u.status = 'active')::integer as cores
      from public.family_members x join public.users u on u.id = x.user_id
      where x.family_id = m.family_id and x.user_id <> m.user_id and x.status <> 'removed') o
    cross join lateral (select count(*)::integer as children from public.children k where k.family_id = m.family_id) c
    cross join lateral (
      -- Of record, in or out of the family: what is kept of the child is theirs to ask for too.
      select exists (
        select from privacy.guardians g
        where g.family_id = m.family_id and g.user_id is distinct from m.user_id and g.ended_at is null
          and (g.until_date is null or g.until_date >= (clock_timestamp() at time zone 'UTC')::date)) as another) g
    cross join lateral (
      select case
          when o.others = 0 and not g.another then 'goes'
          when o.others = 0 then 'decide'
          when m.status <> 'removed' and m.role = 'family_core' and o.cores = 0 then 'decide'
          else 'stays' end as fate,
        case
          when o.others = 0 and not g.another then 'alone'
          when o.others = 0 then 'another_guardian'
          when m.status = 'removed' then 'left'
          when m.role = 'family_core' and o.cores = 0 then 'last_core'
          else 'others' end as why) x
  where m.user_id = person
  order by m.family_id;
end;
comment on function private.erasure_fates(uuid) is
  'What becomes of each family that a person is or was in. goes, with all of it: nobody else is in it (alone); stays: others are (others, left); decide, before anything is erased: its last family_core with others in it (last_core), or alone in it while somebody else is a child''s guardian of record (another_guardian).';

create function private.erasure_scope(table_name text, person uuid, families uuid[], out own text, out gone text, out named text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  t constant oid := to_regclass(table_name);
  self constant text := format('%L::uuid', person);
  going constant text := format('any (%L::uuid[])', families);
  of_family text;
begin
  select string_agg(replace(c.condition, '$1', self), ' or ' order by p.path) filter (where p.subject = 'account' and p.whose <> 'other'),
    string_agg(replace(c.condition, '$1', self), ' or ' order by p.path) filter (where p.whose = 'other')
  into own, named
  from privacy.paths p, privacy.path_condition(p.table_name, p.path) c (condition)
  where p.table_name = erasure_scope.table_name and (p.subject = 'account' or p.subject = 'author' and p.whose = 'other' and p.via = 'payload') and c.condition is not null;
  select string_agg(format('%I = %s', f.attname, going), ' or ' order by f.attname) into of_family from (
    -- What the map says is a household's, and what the catalogue says hangs on the family.
    select p.columns[1] as attname from privacy.paths p
    where p.table_name = erasure_scope.table_name and p.subject = 'household' and p.compares = 'equal' and (p.to_table = 'public.families' or p.table_name = 'public.families')
    union
    select a.attname from pg_catalog.pg_constraint k
      join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
    where k.contype = 'f' and k.conrelid = t and k.confrelid = 'public.families'::regclass) f;
  select concat_ws(' or ', of_family, string_agg(
      case
        when p.compares = 'contains' then format('exists (select from public.children c where c.family_id = %s and strpos(%I::text, c.id::text) > 0)', going, p.columns[1])
        when p.to_table = 'public.children' then format('(%s) in (select %s from public.children where family_id = %s)',
          (select string_agg(quote_ident(o), ', ' order by n) from unnest(p.columns) with ordinality u (o, n)),
          (select string_agg(quote_ident(o), ', ' order by n) from unnest(p.to_columns) with ordinality u (o, n)), going)
        -- By way of a row that is a household's itself.
        else format('(%s) in (select %s from %s where %s)', (select string_agg(quote_ident(o), ', ' order by n) from unnest(p.columns) with ordinality u (o, n)),
          (select string_agg(quote_ident(o), ', ' order by n) from unnest(p.to_columns) with ordinality u (o, n)), p.to_table,
          coalesce((private.erasure_scope(p.to_table, person, families)).gone, 'false')) end, ' or ' order by p.path))
  into gone
  from privacy.paths p
  where p.table_name = erasure_scope.table_name and p.table_name not in ('public.families', 'public.children')
    and (p.subject = 'child' and (p.to_table = 'public.children' or p.compares = 'contains')
      or p.subject = 'household' and p.compares = 'equal' and p.to_table not in ('public.families', 'public.users', 'public.family_members')
      or p.subject = 'invitee' and p.to_table = 'public.family_invitations' and p.table_name <> 'public.family_invitations');
  own := coalesce(own, 'false');
  gone := case when cardinality(families) = 0 then 'false' else coalesce(nullif(gone, ''), 'false') end;
  named := coalesce(named, 'false');
end $$;
comment on function private.erasure_scope(text, uuid, uuid[]) is
  'Conditions on the rows of a table: own, the person''s; gone, of families that go with them; named, somebody else''s that name them.';

create function private.erasure_spellings(person uuid) returns table (names text, spelled text)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select distinct s.names, lower(btrim(s.spelled)) from public.users u cross join lateral (values
    ('email', u.email::text), ('phone', u.phone_number::text), ('name', u.display_name::text), ('name', u.first_name::text),
    ('name', nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), ''))) s (names, spelled)
  where u.id = person and char_length(btrim(s.spelled)) > 1;
end;
comment on function private.erasure_spellings(uuid) is 'How a person is spelled where a column names somebody, in small letters.';

create function private.plan_table(table_name text, person uuid, families uuid[], kin uuid[]) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  t constant regclass := to_regclass(table_name);
  s constant record := private.erasure_scope(table_name, person, families);
  -- By row security of a platform, or without a right, rows would be missing without a word.
  unread constant text := case when not has_table_privilege(t, 'select') then 'the owner of the schema may not read it'
    when table_name ~ '^(auth|storage)\.' and row_security_active(t) then 'its row security hides rows from the owner of the schema' end;
  counted record;
  steps jsonb := '[]';
  c record;
  n bigint;
  household text := (select string_agg(format('%I = any (%L::uuid[])', p.columns[1], kin), ' or ' order by p.path) from privacy.paths p
    where p.table_name = plan_table.table_name and p.subject = 'household' and p.compares = 'equal' and p.to_table = 'public.families');
  takes constant text := format('not coalesce((%s) or (%s), false)', s.own, s.gone);
begin
  if unread is not null then
    return jsonb_build_array(jsonb_build_object('table', plan_table.table_name, 'rows_of', 'own', 'unread', unread));
  end if;
  execute format('select count(*) filter (where (%1$s)) as own, count(*) filter (where (%2$s) and (%1$s) is not true) as gone,
      count(*) filter (where (%3$s) and %4$s) as named, count(*) filter (where (%5$s) and %4$s) as joint
    from %6$s where (%1$s) or (%2$s) or (%3$s) or (%5$s)', s.own, s.gone, s.named, takes, coalesce(household, 'false'), t)
  into counted;
  for c in
    select r.rows_of, r.n, r.subjects from (values
      ('own', counted.own, '{account,invitee,household,request}'::text[]),
      ('gone', counted.gone, '{household,child,account,invitee,contact,provider,caregiver,guardian}'::text[]),
      ('named', counted.named, '{account,author}'::text[])) r (rows_of, n, subjects)
    where r.n > 0
  loop
    steps := steps || (
      select case
          when bool_or(a.erasure = 'delete') and c.rows_of <> 'named' or c.rows_of = 'gone' and k.hangs then
            jsonb_build_object('table', plan_table.table_name, 'rows_of', c.rows_of, 'does', 'delete', 'rows', c.n)
          when bool_or(a.erasure = 'anonymize') then
            jsonb_build_object('table', plan_table.table_name, 'rows_of', c.rows_of, 'does', 'anonymize', 'rows', c.n,
              'columns', jsonb_agg(a.column_name order by a.column_name) filter (where a.erasure = 'anonymize'),
              'obligations', coalesce(jsonb_agg(distinct a.obligation) filter (where a.obligation is not null), '[]'))
          else
            jsonb_build_object('table', plan_table.table_name, 'rows_of', c.rows_of, 'does', 'keep', 'rows', c.n,
              'obligations', coalesce(jsonb_agg(distinct a.obligation) filter (where a.obligation is not null), '[]')) end
      from privacy.column_answers a,
        (select exists (select from pg_catalog.pg_constraint f where f.contype = 'f' and f.conrelid = t and f.confrelid = 'public.families'::regclass) as hangs) k
      where a.table_name = plan_table.table_name and a.subject = any (c.subjects) and (c.rows_of <> 'named' or a.whose = 'other' or a.subject = 'author' and a.erasure = 'anonymize')
      group by k.hangs);
  end loop;
  -- Rows that stay, in which the person entered, invited or accepted; or stands under a name, an address or a number.
  for c in
    select a.column_name, null::text as names, a.obligation, 'entered' as rows_of, case a.erasure when 'sever' then 'sever' else 'keep' end as does,
      (select string_agg(replace(x.condition, '$1', format('%L::uuid', person)), ' or ') from privacy.paths p, privacy.path_condition(p.table_name, p.path) x (condition)
       where p.table_name = a.table_name and p.subject = 'author' and p.columns = array[a.column_name] and p.compares = 'equal') as condition
    from privacy.column_answers a where a.table_name = plan_table.table_name and a.subject = 'author' and a.erasure in ('sever', 'keep')
    union all
    select a.column_name, m.names, null, 'spelled', a.erasure,
      format('(%s) and lower(btrim(%I::text)) in (select x.spelled from private.erasure_spellings(%L::uuid) x where x.names = %L)', household, a.column_name, person, m.names)
    from privacy.naming_columns m join privacy.column_answers a on (a.table_name, a.column_name) = (m.table_name, m.column_name)
    where m.table_name = plan_table.table_name and a.whose = 'other' and a.erasure in ('anonymize', 'delete') and household is not null and m.names in ('name', 'email', 'phone')
    order by 4, 1
  loop
    if c.condition is null then
      continue;
    end if;
    execute format('select count(*) from %s where (%s) and %s', t, c.condition, takes) into n;
    if n > 0 then
      steps := steps || jsonb_build_array(jsonb_build_object('table', plan_table.table_name, 'rows_of', c.rows_of, 'does', c.does, 'rows', n, 'columns', jsonb_build_array(c.column_name))
        || case when c.does = 'keep' then jsonb_build_object('obligations', jsonb_build_array(c.obligation)) else '{}' end);
    end if;
  end loop;
  if counted.joint > 0 then
    steps := steps || jsonb_build_array(jsonb_build_object('table', plan_table.table_name, 'rows_of', 'household', 'does', 'stay', 'rows', counted.joint));
  end if;
  return steps;
end $$;
comment on function private.plan_table(text, uuid, uuid[], uuid[]) is
  'What an erasure does to the rows of a table, by whose they are: own; gone, of families that go; named and spelled, somebody else''s that name the person; entered by them; household, which stay. kin: families that stay.';

create function private.catalogue_digest() returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  with kept as (
    -- Partitions come and go with the months; their parent says what they are.
    select c.oid, c.oid::regclass::text as name, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner, c.relkind
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
  select encode(sha256(convert_to(string_agg(l.line, E'\n' order by l.line collate "C"), 'UTF8')), 'hex') from (
    select concat_ws(' ', 'table', k.name, k.relkind, k.relrowsecurity, k.relforcerowsecurity) as line from kept k
    union all
    select concat_ws(' ', 'column', k.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
    from kept k join pg_catalog.pg_attribute a on a.attrelid = k.oid and a.attnum > 0 and not a.attisdropped
      left join pg_catalog.pg_attrdef d on d.adrelid = k.oid and d.adnum = a.attnum
    union all
    select concat_ws(' ', 'constraint', k.name, x.conname, pg_get_constraintdef(x.oid)) from kept k join pg_catalog.pg_constraint x on x.conrelid = k.oid
    union all
    select concat_ws(' ', 'trigger', k.name, pg_get_triggerdef(g.oid), g.tgenabled, p.prosrc, pg_get_function_sqlbody(p.oid))
    from kept k join pg_catalog.pg_trigger g on g.tgrelid = k.oid and not g.tgisinternal join pg_catalog.pg_proc p on p.oid = g.tgfoid
    union all
    select concat_ws(' ', 'policy', k.name, p.polname, p.polcmd, p.polpermissive, (select string_agg(coalesce(r.rolname, 'public'), ',' order by r.rolname)
        from unnest(p.polroles) u (role) left join pg_catalog.pg_roles r on r.oid = u.role), pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from kept k join pg_catalog.pg_policy p on p.polrelid = k.oid
    union all
    select concat_ws(' ', 'grant', k.name, coalesce(r.rolname, 'public'), g.privilege_type, g.is_grantable)
    from kept k cross join lateral aclexplode(coalesce(k.relacl, acldefault('r', k.relowner))) g left join pg_catalog.pg_roles r on r.oid = g.grantee
    union all
    select concat_ws(' ', 'answer', a.*) from privacy.column_answers a
    union all
    select concat_ws(' ', 'path', p.*) from privacy.paths p) l;
end;
comment on function private.catalogue_digest() is
  'SHA-256, hex, of what an erasure relies on: tables, columns, keys, triggers and their functions, policies, grants, and the data map. Partitions are as their parents.';

create function private.has_value(table_name text, column_name text, person uuid) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  found boolean;
begin
  execute format('select exists (select from %s where (%s) and %I is not null and %3$I::text not in ('''', ''{}'', ''[]''))',
    to_regclass(table_name), (private.erasure_scope(table_name, person, '{}')).own, column_name) into found;
  return found;
end $$;
comment on function private.has_value(text, text, uuid) is 'Whether a row of a person''s has something in a column.';

create function private.erasure_gates(r privacy.requests, families uuid[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('gate', g.gate, 'why', g.why, 'next', g.next) order by g.at, g.why), '[]') from (
    select 1 as at, 'request' as gate, format('request %s has ended: it is %s', r.number, r.state) as why, format('nestctl request show %s', r.number) as next
    where r.state not in ('open', 'in_progress')
    union all
    select 2, 'identity', 'nobody has verified who asks', format('nestctl request verify-identity %s', r.number) where r.identity_verified_at is null
    union all
    select distinct 3, 'hold', private.held_by(h.number, case when h.why = 'legal_hold' then 'it' else 'it: it can still be complained of (PIPEDA s. 8(8))' end), private.look_at_hold(h.number)
    from private.held_subjects() h where h.user_id = r.user_id or h.family_id = any (families)
    union all
    select 4, 'family', case f.why when 'last_core' then format('the last family_core of family %s, in which %s', f.family_id, case f.members when 1 then 'one other is' else f.members || ' others are' end)
        else format('alone in family %s, where somebody else is a guardian of record', f.family_id) end,
      case f.why when 'last_core' then format('nestctl member transfer --family %s', f.family_id) else format('nestctl guardian list --family %s', f.family_id) end
    from private.erasure_fates(r.user_id) f where f.fate = 'decide') g;
end;
comment on function private.erasure_gates(privacy.requests, uuid[]) is 'What stands against erasing the subject of a request now, and what to do; empty where nothing does.';

create function privacy.plan_erasure(number text) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  r privacy.requests;
  fates jsonb;
  going uuid[];
  kin uuid[];
  plan jsonb;
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
  select coalesce(jsonb_agg(to_jsonb(f) order by f.family_id), '[]'), coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate = 'goes'), '{}'),
    coalesce(array_agg(f.family_id order by f.family_id) filter (where f.fate <> 'goes'), '{}')
  into fates, going, kin from private.erasure_fates(r.user_id) f;
  plan := jsonb_build_object('request', r.number, 'person', r.user_id, 'families', fates, 'catalogue', private.catalogue_digest(),
    'steps', (
      select coalesce(jsonb_agg(s.step order by t.table_name, s.at), '[]') from (
        select distinct a.table_name from privacy.column_answers a
        where a.whose <> 'operational' and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
        cross join lateral jsonb_array_elements(private.plan_table(t.table_name, r.user_id, going, kin)) with ordinality s (step, at)),
    'outside', (
      select coalesce(jsonb_agg(jsonb_build_object('recipient', x.recipient, 'about', x.about, 'columns', x.columns) order by x.recipient), '[]') from (
        select p.recipient, p.about, jsonb_agg(c.table_name || '.' || c.column_name order by c.table_name, c.column_name) as columns
        from privacy.recipients p join privacy.recipient_columns c using (recipient)
        where private.has_value(c.table_name, c.column_name, r.user_id) group by p.recipient, p.about) x));
  -- What staff does about the request leaves records of its own, and what stays is nobody's to count.
  return plan || jsonb_build_object('gates', private.erasure_gates(r, going), 'hash', encode(sha256(convert_to((plan || jsonb_build_object('steps', (
    select coalesce(jsonb_agg(x.step order by x.at), '[]') from jsonb_array_elements(plan -> 'steps') with ordinality x (step, at)
    where x.step ->> 'does' is distinct from 'stay' and x.step ->> 'table' !~ '^(audit|ops|privacy)\.')))::text, 'UTF8')), 'hex'));
end $$;
comment on function privacy.plan_erasure(text) is
  'What answering a request by erasing its account would do: families and their fate, steps by table, who outside has data from us, what stands against it, and the hash that binds it: of the catalogue, the data map, the families and the counts of what it changes, records of staff''s own work aside. Changes nothing. Needs a grant for the person.';

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.plan_erasure(text) to nestsync_compliance;
