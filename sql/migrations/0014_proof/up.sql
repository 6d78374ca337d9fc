-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes

-- What every member of a family may do to every table, at once. As with one question the conditions of the policies are
-- evaluated here and only their truth leaves; the rows they are evaluated on are made up, so none is read.

create function ops.ask_about_family(family uuid) returns table (explanation uuid, person uuid)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is null or private.session_duty() not in ('support', 'compliance', 'admin') then
    perform private.fail('NS004', 'access is explained under the duty support, compliance or admin');
  end if;
  if not private.in_granted_scope('family', family) then
    perform private.fail('NS002', format('no live access grant of yours covers family %s', family),
      format('nestctl access open --family %s --reason ''…'' --ticket …', family));
  end if;
  return query
    insert into ops.access_explanations as e (duty, person, table_name, row_key, command)
    select '', m.user_id, 'public.families', jsonb_build_object('id', ask_about_family.family), 'select'
    from public.family_members m where m.family_id = ask_about_family.family
    returning e.id, e.person;
end $$;
comment on function ops.ask_about_family(uuid) is
  'Records the question what each member of a family may do, one line a member, and returns their ids. Commit, then read the answer with ops.explain_family.';

-- Rows of a kind that the person wrote or another did, of today or not, about themselves or another: just enough for any
-- policy to tell them apart.
create function private.sample_rows(t regclass, family uuid, person uuid) returns text[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  other uuid := gen_random_uuid();
  rows_of text[];
begin
  execute format($q$
    select array_agg((jsonb_populate_record(null::%s, jsonb_build_object(
      'family_id', $1, 'created_by', who, 'user_id', who, 'logged_at', at, 'occurred_at', at, 'created_at', at,
      'id', case %L when 'families' then $1 when 'users' then who else gen_random_uuid() end)))::text order by n)
    from (values (1, $2, now()), (2, $3, now()), (3, $2, now() - interval '400 days'), (4, $3, now() - interval '400 days')) v (n, who, at)$q$,
    t, (select c.relname from pg_catalog.pg_class c where c.oid = t)) into rows_of using family, person, other;
  return rows_of;
end $$;

-- private.truths for several rows of one table in one statement; an array of answers for each row.
create function private.truths_of_rows(t regclass, row_texts text[], conditions text[]) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  answers jsonb;
begin
  execute format('select jsonb_agg(jsonb_build_array(%s) order by ordinality) from unnest($1::%s[]) with ordinality as %I',
    (select string_agg(format('((%s) and true)', c), ', ' order by o) from unnest(conditions) with ordinality u (c, o)), t,
    (select c.relname from pg_catalog.pg_class c where c.oid = t)) into answers using row_texts;
  return answers;
exception
  when others then
    return (select jsonb_agg(to_jsonb(private.truths(t, r, conditions)) order by o) from unnest(row_texts) with ordinality u (r, o));
end $$;

create function private.explain_members(family uuid, explanations uuid[], tables jsonb) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  answer jsonb := '{}';
  e ops.access_explanations;
  asked record;
  of_person jsonb;
begin
  for e in select a.* from ops.access_explanations a where a.id = any (explanations) loop
    perform set_config('nestsync.explaining', e.id::text, true), set_config('request.jwt.claim.sub', '', true),
      set_config('request.jwt.claims', jsonb_build_object('sub', e.person, 'role', 'authenticated')::text, true);
    of_person := '{}';
    for asked in
      select k.key::regclass as t, k.key, array(select jsonb_array_elements_text(k.value)) as conditions
      from jsonb_each(tables) k where jsonb_array_length(k.value) > 0
    loop
      of_person := of_person || jsonb_build_object(asked.key,
        private.truths_of_rows(asked.t, private.sample_rows(asked.t, explain_members.family, e.person), asked.conditions));
    end loop;
    answer := answer || jsonb_build_object(e.person, of_person);
  end loop;
  perform set_config('nestsync.explaining', '', true), set_config('request.jwt.claims', coalesce(claims, ''), true),
    set_config('request.jwt.claim.sub', coalesce(subject, ''), true);
  return answer;
end $$;

create function ops.explain_family(family uuid, explanations uuid[], tables jsonb, planned jsonb default '[]') returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  answer jsonb;
  beyond text;
  plan record;
begin
  if exists (
    select from unnest(explanations) asked (id)
    where not exists (
      select from ops.access_explanations a
      where a.id = asked.id and a.operator = session_user and a.duty = private.session_duty() and a.row_key ->> 'id' = explain_family.family::text
        and a.asked_at > clock_timestamp() - interval '2 minutes' and a.asked_xid is distinct from pg_current_xact_id_if_assigned())
  ) or not private.in_granted_scope('family', family) then
    perform private.fail('NS002', 'no committed question of yours answers to this id', 'Record it with ops.ask_about_family and commit before reading.');
  end if;
  -- Nothing is evaluated here but what the tables' policies say themselves.
  select format('%s: %s', k.key, c) into beyond
  from jsonb_each(tables) k, jsonb_array_elements_text(k.value) c
  where coalesce(private.owner_column(to_regclass(k.key)), '') = '' or not exists (
    select from pg_catalog.pg_policy p
    where p.polrelid = to_regclass(k.key) and c in (pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
  limit 1;
  if beyond is not null then
    perform private.fail('NS005', format('this is no policy of its table: %s', beyond), 'The policies changed meanwhile: ask again.');
  end if;
  if planned = '[]' then
    if current_setting('transaction_read_only') <> 'on' then
      perform private.fail('NS005', 'access is explained in a read-only transaction');
    end if;
    return private.explain_members(family, explanations, tables);
  end if;
  begin
    perform set_config('lock_timeout', '2s', true);
    for plan in select * from jsonb_to_recordset(planned) as p (user_id uuid, role text) loop
      update public.family_members m set role = plan.role where m.family_id = explain_family.family and m.user_id = plan.user_id;
      if not found then
        perform private.fail('NS006', format('person %s is no member of this family', plan.user_id));
      end if;
    end loop;
    perform set_config('transaction_read_only', 'on', true);
    answer := private.explain_members(family, explanations, tables);
    raise exception using errcode = 'UNDO0';
  exception
    when sqlstate 'UNDO0' then null;
    when check_violation then
      perform private.fail('NS007', 'there is no such role', 'Roles: family_core, extended_family, professional, institutional.');
  end;
  return answer;
end $$;
comment on function ops.explain_family(uuid, uuid[], jsonb, jsonb) is
  'Answers committed questions: for each member and table the truth of whole policies on four rows that are made up: of the member and of another, of today and of long ago. With planned roles as it would be then; these are undone before it returns.';

revoke execute on function ops.ask_about_family(uuid), private.sample_rows(regclass, uuid, uuid), private.truths_of_rows(regclass, text[], text[]),
  private.explain_members(uuid, uuid[], jsonb), ops.explain_family(uuid, uuid[], jsonb, jsonb) from public;
grant execute on function ops.ask_about_family(uuid), ops.explain_family(uuid, uuid[], jsonb, jsonb)
  to nestsync_support, nestsync_compliance, nestsync_admin;
