-- kind: schema
-- locks: none
-- transaction: yes
-- reversible: yes
-- seeds: none

-- What a person is given, held against what they see in the app as their own role: the policies of members are
-- evaluated here for that person, as ops.explain_counts does it, and only counts leave. Without an impersonation, so the
-- question is recorded first and answered only from a later transaction.

create function private.why_unseen(family uuid, person uuid) returns text
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case when u.status in ('suspended', 'pending_deletion') then 'account_' || u.status
    when m.id is null then 'no_member'
    when m.status <> 'active' then 'membership_' || m.status
    when m.access_expires_at <= clock_timestamp() then 'membership_expired'
    when f.archived_at is not null and m.role <> 'family_core' then 'family_archived'
    else 'role' end
  from public.users u
    left join public.family_members m on m.family_id = why_unseen.family and m.user_id = u.id
    left join public.families f on f.id = m.family_id
  where u.id = person;
end;
comment on function private.why_unseen(uuid, uuid) is
  'Why a person does not see rows of a family, in the order in which the helper of the policies asks; role: none of these bars it, and the role, or what was given to the member or taken from them, does not open these rows.';

create function private.read_by_members() returns table (table_name text, kind "char", invoker boolean)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select format('%I.%I', n.nspname, c.relname), c.relkind, coalesce('security_invoker=true' = any (c.reloptions) or 'security_invoker=on' = any (c.reloptions), false)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
    and has_schema_privilege('authenticated', n.oid, 'usage') and has_any_column_privilege('authenticated', c.oid, 'select');
end;
comment on function private.read_by_members() is 'What the role of members may read of the schema that the app is served from: tables (r, p, m) and views (v).';

create function private.views_of_table(table_name text, person uuid, app text, exported boolean, of_child boolean) returns jsonb
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  t constant regclass := to_regclass(table_name);
  s constant record := private.package_scope(table_name, person, 'user');
  -- Each names no more than columns of the table, which stands alone in its FROM and under its own name.
  given constant text := case when exported then format('((%s) or (%s) or (%s)) is true', s.account, s.household, s.child) else 'false' end;
  seen constant text := case app when 'rows' then format('(%s) is true', private.policy_condition(t, 'select')) else 'false' end;
  owner constant text := case when app = 'rows' then nullif(private.owner_column(t), '') end;
  answer jsonb;
begin
  execute format(
    'select jsonb_build_object(''given'', coalesce(sum(n) filter (where given), 0), ''seen'', coalesce(sum(n) filter (where seen), 0),
       ''partly'', jsonb_build_object(''account'', coalesce(sum(n) filter (where given and seen and not account), 0), ''child'', coalesce(sum(n) filter (where given and seen and not child), 0),
         ''request'', coalesce(sum(n) filter (where given and seen and not (account or child)), 0)),
       ''groups'', coalesce(jsonb_agg(jsonb_build_object(''owner'', owner, ''given'', given, ''seen'', seen, ''kin'', kin, ''ever'', ever, ''entered'', entered, ''rows'', n)) filter (where given <> seen), ''[]''))
     from (
       select owner, given, seen, account, child, kin, ever, entered, count(*) as n
       from (select %1$s as owner, %2$s as given, %3$s as seen, (%4$s) is true as account, (%5$s) is true as child, (%6$s) is true as kin, (%7$s) is true as ever, (%8$s) is true as entered
         from %9$s where (%10$s) or (%11$s)) x
       group by owner, given, seen, account, child, kin, ever, entered) y',
    coalesce(quote_ident(owner), 'null::uuid'), given, seen, s.account, s.child, s.kin, s.ever, s.entered, t,
    case when exported then format('(%s) or (%s) or (%s)', s.account, s.household, s.child) else 'false' end,
    case app when 'rows' then private.policy_condition(t, 'select') else 'false' end)
  into answer;
  return answer - 'groups' || jsonb_build_object('differences', (
    select coalesce(jsonb_agg(jsonb_build_object('side', d.side, 'why', d.why, 'family', d.family, 'rows', d.n) order by d.side, d.n desc, d.why, d.family), '[]')
    from (
      select case when g.given then 'unseen' else 'beyond' end as side, w.why, case private.owner_kind(t) when 'family' then g.owner end as family, sum(g.rows) as n
      from jsonb_to_recordset(answer -> 'groups') as g (owner uuid, given boolean, seen boolean, kin boolean, ever boolean, entered boolean, rows bigint)
        cross join lateral (
          select case when g.given and app = 'none' then 'not_in_app'
            when g.given and private.owner_kind(t) = 'family' then private.why_unseen(g.owner, person)
            when g.given then 'policy'
            when not exported then case when exists (select from privacy.column_answers a where a.table_name = views_of_table.table_name and a.whose <> 'operational') then 'not_exported' else 'about_nobody' end
            when g.kin and of_child then 'of_children'
            when g.ever or private.owner_kind(t) = 'family' and exists (select from public.family_members m where m.family_id = g.owner and m.user_id = person) then 'of_others'
            when g.entered then 'entered'
            else 'unconnected' end as why) w
      group by 1, 2, 3) d));
end $$;
comment on function private.views_of_table(text, uuid, text, boolean, boolean) is
  'Rows of a table that the package of an account gives, and that the policies show to the person: how many, how many of both are not the account''s, the child''s, or of either (partly), and the difference: given and unseen, seen and beyond the package, with the reason and, of a family''s rows, the family.';

create function privacy.package_views(person uuid, explanation uuid)
  returns table (table_name text, app text, columns jsonb, given bigint, seen bigint, partly jsonb, differences jsonb)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  e ops.access_explanations;
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  r record;
  answer jsonb;
begin
  perform privacy.require_package(person, 'user');
  if current_setting('transaction_read_only') <> 'on' then
    perform private.fail('NS005', 'views are compared in a read-only transaction');
  end if;
  e := private.explanation_asked(explanation);
  if e.person is distinct from person or e.table_name <> 'public.users' or e.row_key ->> 'id' is distinct from person::text or e.command <> 'select' or e.moment is not null then
    perform private.fail('NS005', 'this question is not what the person sees', format('Ask by ops.ask_why(%L, ''public.users'', ''{"id": "…"}'', ''select'').', person));
  end if;
  -- Whatever fails below undoes these with its transaction.
  perform set_config('nestsync.explaining', e.id::text, true), set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', person, 'role', 'authenticated')::text, true);
  for r in
    select x.name, m.kind, m.invoker, m.table_name is not null as in_app, x.exported
    from (
      select n.name, bool_or(n.exported) as exported
      from (
        select a.table_name, true from privacy.column_answers a where a.exported and to_regclass(a.table_name) is not null and private.package_needs(a.subject) > 0
        union all select b.table_name, false from private.read_by_members() b) n (name, exported)
      group by n.name) x
      left join private.read_by_members() m on m.table_name = x.name
    order by 1
  loop
    table_name := r.name;
    select null, null, null, null into given, seen, partly, differences;
    select coalesce(jsonb_agg((to_jsonb(c) - 'number') || jsonb_build_object('granted', r.in_app and has_column_privilege('authenticated', to_regclass(r.name), c.number, 'select')) order by c.number), '[]')
    into columns from private.package_columns(r.name) c;
    if r.kind = 'v' then
      app := 'view';
      -- One that runs with the reader's own rights shows no rows but those of the tables, which are compared.
      if not r.invoker then
        execute format('select jsonb_build_object(''seen'', count(*), ''others'', count(*) filter (where strpos(to_jsonb(x)::text, %L) = 0)) from %s x', person, r.name) into answer;
        given := 0;
        seen := (answer ->> 'seen')::bigint;
        differences := case when (answer ->> 'others')::bigint = 0 then '[]'
          else jsonb_build_array(jsonb_build_object('side', 'beyond', 'why', 'of_others', 'family', null, 'rows', answer -> 'others')) end;
      end if;
    else
      app := case when r.in_app then 'rows' else 'none' end;
      if not coalesce((select k.relkind = 'm' and not k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(r.name)), false) then
        answer := private.views_of_table(r.name, person, app, r.exported, exists (select from privacy.column_answers a where a.table_name = r.name and a.exported and a.subject = 'child'));
        given := (answer ->> 'given')::bigint;
        seen := (answer ->> 'seen')::bigint;
        partly := answer -> 'partly';
        differences := answer -> 'differences';
      end if;
    end if;
    return next;
  end loop;
  perform set_config('nestsync.explaining', '', true), set_config('request.jwt.claims', coalesce(claims, ''), true),
    set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
end $$;
comment on function privacy.package_views(uuid, uuid) is
  'Both views of an account''s data, for a committed question (ops.ask_why) what the person sees of their account: of each table that the package or the app draws on, how many rows are given and how many the policies of members show to that person, why those differ, and of each column whether the role of members may read it. app: rows, view (shown as a whole), none. No value of a row leaves but the ids of families.';

revoke execute on function private.why_unseen(uuid, uuid), private.read_by_members(), private.views_of_table(text, uuid, text, boolean, boolean), privacy.package_views(uuid, uuid) from public;
grant execute on function privacy.package_views(uuid, uuid) to nestsync_compliance;
