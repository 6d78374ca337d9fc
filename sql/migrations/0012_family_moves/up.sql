-- kind: schema
-- locks: SHARE ROW EXCLUSIVE on the tables that belong to families, briefly
-- transaction: yes
-- reversible: yes, where no family was ever merged, split or moved
-- seeds: audit.captured_tables

-- Keys never change. So where a child goes to another family, or two families become one, each row is deleted and
-- inserted again under the other family, its id kept, all of them in one statement: PostgreSQL checks foreign keys
-- when a statement ends, so neither cycles nor the order of tables matter to them. Which tables and rows those are is
-- read from the catalogue, and whatever it cannot answer for makes it refuse.

create table ops.moves (
  id uuid primary key default gen_random_uuid(),
  kind text not null,
  from_family uuid not null,
  to_family uuid not null,
  children uuid[] not null,
  shared jsonb not null default '{}',
  back jsonb not null default '{}',
  copied jsonb not null default '{}',
  cut jsonb not null default '[]',
  counts jsonb not null default '{}',
  plan_hash text not null,
  was_archived_at timestamptz,
  undoes uuid,
  operator text not null default session_user references ops.operators (login),
  duty text not null default private.session_duty(),
  reason text not null,
  ticket text not null,
  request_id text,
  xid xid8 not null default pg_current_xact_id(),
  moved_at timestamptz not null default clock_timestamp(),
  constraint moves_kind check (kind in ('merge', 'split', 'child', 'undo')),
  constraint moves_two_families check (from_family <> to_family),
  constraint moves_undo check ((kind = 'undo') = (undoes is not null)),
  constraint moves_undone_fkey foreign key (undoes) references ops.moves (id)
);
comment on table ops.moves is
  'Every merge, split and move of children between families. The audit events of a move carry its id as their request and were written in its transaction (xid).';
comment on column ops.moves.shared is 'Rows that belong to no child alone and were moved by decision: {table: [key]}.';
comment on column ops.moves.back is 'Rows of the other family that changed places with one that came: {table: [key]}.';
comment on column ops.moves.copied is 'Rows that are in both families since: {table: {original: copy}}.';
comment on column ops.moves.cut is 'Links that were cut since their two ends parted: [{relation, key, column, value}].';
create unique index moves_undoes_key on ops.moves (undoes) where undoes is not null;
create index moves_from_idx on ops.moves (from_family, moved_at desc);
create index moves_to_idx on ops.moves (to_family, moved_at desc);
create index moves_operator_idx on ops.moves (operator, moved_at desc);
create trigger moves_append_only before update or delete on ops.moves for each row execute function private.refuse_delete();
alter table ops.moves enable row level security;
alter table ops.moves force row level security;
create policy moves_owner_all on ops.moves to current_user using (true) with check (true);
create policy moves_staff_select on ops.moves for select to nestsync_support, nestsync_compliance, nestsync_admin
  using (array[from_family, to_family] && (select private.granted_families())::uuid[] or (select private.break_glass()));
create policy moves_auditor_select on ops.moves for select to nestsync_auditor
  using ((select private.session_duty()) is not null);
grant select on ops.moves to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;
select audit.attach('ops.moves', 'modification');

-- Nothing lands in a family that was merged into another ----------------------------------------------------------

-- Whoever inserts waits for the family's row, which the merge has locked; this fires after that wait.
create function private.refuse_merged() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  into_family uuid;
begin
  select m.to_family into into_family
  from new_rows r join ops.moves m on m.from_family = r.family_id
  where m.kind = 'merge' and m.xid <> pg_current_xact_id() and not exists (select from ops.moves u where u.undoes = m.id)
  limit 1;
  if found then
    perform private.fail('NS005', format('the family was merged into %s', into_family), 'Write to that family instead.');
  end if;
  return null;
end $$;
comment on function private.refuse_merged() is 'Refuses rows for a family that was merged into another.';

create function private.cover_moves(target regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create trigger merged_closed after insert on %s referencing new table as new_rows for each statement execute function private.refuse_merged()', target);
end $$;
comment on function private.cover_moves(regclass) is
  'Closes a table with a foreign key to families for families that were merged into another. For the migration that makes the table.';
select private.cover_moves(t::regclass) from unnest(array['public.family_members', 'public.family_invitations', 'public.children',
  'public.inventory_items', 'public.reorder_suggestions', 'public.analytics_events']) t;

-- What belongs to a family, by the catalogue ----------------------------------------------------------------------

create function private.family_tables()
  returns table (relation regclass, name text, owner_column text, key_columns text[], direct boolean, place integer)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  owned jsonb;
  placed oid[] := array['public.families'::regclass::oid];
  next_ones oid[];
  step integer := 0;
begin
  with recursive o (rel, owner) as (
    select a.attrelid, a.attnum from pg_attribute a where a.attrelid = 'public.families'::regclass and a.attname = 'id'
    union
    select c.conrelid, c.conkey[i] from o join pg_constraint c on c.confrelid = o.rel and c.contype = 'f' and c.conparentid = 0
      cross join lateral generate_subscripts(c.confkey, 1) i
    where c.confkey[i] = o.owner
  )
  select jsonb_object_agg(o.rel::text, a.attname) into owned
  from o join pg_attribute a on a.attrelid = o.rel and a.attnum = o.owner join pg_class c on c.oid = o.rel
  where not c.relispartition and c.oid <> 'public.families'::regclass;
  while exists (select from jsonb_object_keys(owned) k where k::oid <> all (placed)) loop
    select array_agg(k::oid order by k::oid::regclass::text) into next_ones
    from jsonb_object_keys(owned) k
    where k::oid <> all (placed) and not exists (
      select from pg_constraint c where c.conrelid = k::oid and c.contype = 'f' and c.confrelid <> c.conrelid
        and (c.confdeltype <> 'n' or c.confrelid = 'public.children'::regclass) and owned ? c.confrelid::text and c.confrelid <> all (placed));
    if next_ones is null then
      -- A cycle: any of them is as good.
      select array[min(k::oid)] into next_ones from jsonb_object_keys(owned) k where k::oid <> all (placed);
    end if;
    for i in 1 .. cardinality(next_ones) loop
      step := step + 1;
      relation := next_ones[i]::regclass;
      select format('%s.%s', n.nspname, c.relname) into name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = next_ones[i];
      owner_column := owned ->> next_ones[i]::text;
      key_columns := array(
        select a.attname::text from pg_index x cross join lateral unnest(x.indkey::smallint[]) with ordinality k (attnum, position)
          join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
        where x.indrelid = next_ones[i] and x.indisprimary and a.attname <> owner_column order by k.position);
      direct := exists (select from pg_constraint c where c.conrelid = next_ones[i] and c.contype = 'f' and c.confrelid = 'public.families'::regclass);
      place := step;
      return next;
    end loop;
    placed := placed || next_ones;
  end loop;
end $$;
comment on function private.family_tables() is
  'Tables whose rows belong to a family, found along foreign keys, those first that others point to. key_columns: the primary key without the family; direct: with a foreign key to families itself.';

create type private.family_link as (
  constraint_name text, relation regclass, name text, target regclass, target_name text, columns text[], required boolean, cuttable boolean, carried boolean);

create function private.family_links() returns setof private.family_link
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with tables as materialized (select * from private.family_tables())
  select c.conname::text, x.relation, x.name, y.relation, y.name, l.columns, l.required,
    c.confdeltype = 'n' and not l.required and cardinality(l.columns) = 1
      and coalesce((select array_agg(a.attname::text) from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.confdelsetcols)) = l.columns, false),
    coalesce(l.carries and l.referenced = y.key_columns, false)
  from pg_constraint c
    join tables y on y.relation = c.confrelid
    join tables x on x.relation = c.conrelid
    cross join lateral (
      select array_agg(a.attname::text order by array_position(y.key_columns, b.attname::text)) filter (where b.attname <> y.owner_column) as columns,
        array_agg(b.attname::text order by array_position(y.key_columns, b.attname::text)) filter (where b.attname <> y.owner_column) as referenced,
        bool_or(a.attname = x.owner_column and b.attname = y.owner_column) as carries,
        bool_and(a.attnotnull) as required
      from generate_subscripts(c.conkey, 1) i
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[i]
        join pg_attribute b on b.attrelid = c.confrelid and b.attnum = c.confkey[i]
    ) l
  where c.contype = 'f' and c.conparentid = 0;
end;
comment on function private.family_links() is
  'Foreign keys between tables of families. columns: without the family, in the order of the target''s key; cuttable: what deleting the target sets to null.';

create function private.family_gaps() returns text[]
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  tables regclass[] := array(select f.relation from private.family_tables() f);
  links private.family_link[] := array(select l from private.family_links() l);
begin
  return array(
    with family_tables as materialized (select * from private.family_tables())
    select distinct gap from (
      -- Holds a family's id, but no foreign key says that it belongs to one. What refuses every deletion is a record.
      select format('%s has a column family_id and no foreign key that leads to families', c.oid::regclass) as gap
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where a.attname = 'family_id' and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f') and not c.relispartition
        -- The log and what is known of it stay with the family that they were about.
        and n.nspname not in ('pg_catalog', 'information_schema', 'audit') and n.nspname !~ '^pg_(toast|temp)'
        and c.oid <> all (tables) and not exists (
          select from pg_trigger g where g.tgrelid = c.oid and g.tgtype & 11 = 11 and g.tgenabled <> 'D'
            and g.tgfoid in ('private.refuse_delete()'::regprocedure, 'audit.refuse_change()'::regprocedure))
      union all
      select format('%s points to %s without its family', c.conrelid::regclass, c.confrelid::regclass)
      from pg_constraint c
      where c.contype = 'f' and c.conparentid = 0 and c.confrelid = any (tables)
        and not exists (select from unnest(links) l where l.relation = c.conrelid and l.constraint_name = c.conname and l.carried)
      union all
      select format('the partition %s has a foreign key of its own', c.conrelid::regclass)
      from pg_constraint c join pg_class r on r.oid = c.conrelid
      where c.contype = 'f' and c.conparentid = 0 and r.relispartition and (c.confrelid = any (tables) or c.confrelid = 'public.families'::regclass)
      union all
      select format('%s has more than one column that names its family', f.relation)
      from family_tables f join pg_constraint c on c.conrelid = f.relation and c.contype = 'f' and c.confrelid = 'public.families'::regclass
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      where a.attname <> f.owner_column
      union all
      select format('%s %s', f.relation, why)
      from family_tables f
        cross join lateral (
          select 'has no primary key that tells its rows apart within a family' as why where cardinality(f.key_columns) = 0
          union all
          select 'names its family in a column that is not family_id' where f.owner_column <> 'family_id'
          union all
          select 'has an exclusion constraint' where exists (select from pg_constraint c where c.conrelid = f.relation and c.contype = 'x')
          union all
          select 'is not captured by the audit log' where (
            select count(distinct g.tgname) from pg_trigger g
            where g.tgrelid = f.relation and g.tgname in ('audit_insert', 'audit_update', 'audit_delete') and g.tgenabled in ('O', 'A')) < 3
          union all
          select 'can have rows that no foreign key holds to their family' where not f.direct
            and not exists (select from unnest(links) l where l.relation = f.relation and l.required and l.target <> l.relation)
          union all
          select 'takes rows of families that were merged: private.cover_moves' where f.direct and not exists (
            select from pg_trigger g where g.tgrelid = f.relation and g.tgfoid = 'private.refuse_merged()'::regprocedure and g.tgenabled in ('O', 'A'))
          union all
          select 'hides rows from its owner' where (select c.relforcerowsecurity from pg_class c where c.oid = f.relation) and not exists (
            select from pg_policy p join pg_class c on c.oid = p.polrelid
            where p.polrelid = f.relation and c.relowner = any (p.polroles) and p.polcmd = '*' and pg_get_expr(p.polqual, p.polrelid) = 'true')
        ) gaps
    ) all_gaps order by gap);
end $$;
comment on function private.family_gaps() is 'Why rows cannot be moved between families safely: tables that the catalogue does not answer for. Empty: all is covered.';

create function private.key_of(key_columns text[], alias text) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return (select string_agg(format('%s.%I::text', alias, k), ' || ''/'' || ' order by position) from unnest(key_columns) with ordinality u (k, position));

create function private.keys_in(places jsonb, name text, how text) returns text[]
  language sql immutable set search_path = pg_catalog, pg_temp
  return array(select jsonb_array_elements_text(places -> name -> how));

create function private.copy_id(move uuid, original text) returns uuid
  language sql immutable set search_path = pg_catalog, pg_temp
  return encode(substr(sha256(uuid_send(move) || convert_to(original, 'UTF8')), 1, 16), 'hex')::uuid;
comment on function private.copy_id(uuid, text) is 'The id of the copy that a move makes of a row.';

-- Which rows go, which stay, and what comes apart -----------------------------------------------------------------

-- A row goes with the children it names; a row of a table that names none, with the rows it cannot be without. What then
-- belongs to no child, or to some that go and some that stay, is shared, and a decision says what becomes of it.
create function private.place_rows(from_family uuid, children text[], decisions jsonb, crossing jsonb, behind jsonb, known jsonb) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  places jsonb := known;
  links private.family_link[] := array(select l from private.family_links() l);
  t record;
  named text;
  inside text;
  rows_of jsonb;
begin
  for t in select * from private.family_tables() f order by f.place loop
    select coalesce(string_agg(format('(%s is not null)::integer', d.link), ' + '), '0'),
      coalesce(string_agg(format('coalesce(%s = any (%L::text[]), false)::integer', d.link, private.keys_in(places, d.target_name, 'move')), ' + '), '0')
    into named, inside
    from (
      select private.key_of(l.columns, 'x') as link, l.target_name, l.target = 'public.children'::regclass as to_child,
        bool_or(l.target = 'public.children'::regclass) over () as any_child
      from unnest(links) l
      where l.relation = t.relation and l.target <> l.relation and t.relation <> 'public.children'::regclass
        and (l.target = 'public.children'::regclass or not l.cuttable)
    ) d where d.to_child or not d.any_child;
    execute format($q$
      select jsonb_build_object(
        'move', coalesce(jsonb_agg(p.key order by p.key) filter (where p.choice = 'move'), '[]'),
        'copy', coalesce(jsonb_agg(p.key order by p.key) filter (where p.choice = 'copy'), '[]'),
        'open', coalesce(jsonb_agg(p.key order by p.key) filter (where p.choice = 'open'), '[]'),
        'shared', coalesce(jsonb_agg(p.key order by p.key) filter (where p.shared), '[]'),
        'rows', count(*))
      from (
        select k.key, k.shared, case
          when k.key = any ($5) then 'stay'
          when k.shared then coalesce($3 ->> k.key, $3 ->> '*', $4, 'open')
          when k.inside > 0 then 'move' else 'stay' end as choice
        from (
          select n.key, n.inside, case when %6$L then false else n.key = any ($6) or n.named = 0 or (n.inside > 0 and n.inside < n.named) end as shared
          from (select %1$s as key, %2$s as named, %3$s as inside from %4$s x where x.%5$I = $1) n
        ) k
      ) p$q$,
      private.key_of(t.key_columns, 'x'), named,
      case when t.relation = 'public.children'::regclass then '(x.id::text = any ($2))::integer' else inside end,
      t.relation, t.owner_column, t.relation = 'public.children'::regclass)
    into rows_of
    using from_family, children, case when jsonb_typeof(decisions -> t.name) = 'string' then jsonb_build_object('*', decisions -> t.name)
        else coalesce(decisions -> t.name, '{}') end, decisions ->> '*',
      array(select jsonb_array_elements_text(behind -> t.name)), array(select jsonb_array_elements_text(crossing -> t.name));
    places := jsonb_set(places, array[t.name], coalesce(places -> t.name, '{}') || rows_of);
  end loop;
  return places;
end $$;

create function private.broken_links(from_family uuid, to_family uuid, places jsonb)
  returns table (constraint_name text, relation text, target text, "column" text, cuttable boolean, side text, key text, value text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  l record;
begin
  for l in
    select k.*, k.name as x_name, k.target_name as y_name, x.owner_column, private.key_of(x.key_columns, 'x') as x_key, private.key_of(k.columns, 'x') as link
    from private.family_links() k join private.family_tables() x on x.relation = k.relation
  loop
    return query execute format($q$
      with r as materialized (
        -- A row that is copied both stays and arrives.
        select b.key, b.value, s.side
        from (select %1$s as key, %2$s as value, x.%4$I = $1 as ours from %3$s x where x.%4$I in ($1, $2)) b
          cross join lateral (
            select 'arriving' as side where b.ours and b.key = any (%5$L::text[])
            union all select 'staying' where b.ours and b.key <> all (%15$L::text[])
            union all select 'going back' where not b.ours and b.key = any (%6$L::text[])
            union all select 'there' where not b.ours and b.key <> all (%6$L::text[])) s
        where b.value is not null
      )
      select %7$L, %8$L, %9$L, %10$L, %11$L::boolean and r.side in ('arriving', 'staying'), r.side, r.key, r.value
      from r where case r.side
        when 'arriving' then r.value <> all (%16$L::text[]) and not coalesce(%13$L::jsonb, '{}') ? r.value
        when 'staying' then r.value = any (%12$L::text[])
        when 'going back' then r.value <> all (%14$L::text[])
        else r.value = any (%14$L::text[]) end
      order by r.key$q$,
      l.x_key, l.link, l.relation, l.owner_column,
      private.keys_in(places, l.x_name, 'move') || private.keys_in(places, l.x_name, 'copy'), private.keys_in(places, l.x_name, 'back'),
      l.constraint_name, l.x_name, l.y_name, l.columns[1], l.cuttable,
      private.keys_in(places, l.y_name, 'move'), places -> l.y_name -> 'map', private.keys_in(places, l.y_name, 'back'), private.keys_in(places, l.x_name, 'move'),
      private.keys_in(places, l.y_name, 'move') || private.keys_in(places, l.y_name, 'copy'))
      using from_family, to_family;
  end loop;
end $$;
comment on function private.broken_links(uuid, uuid, jsonb) is 'Links whose two ends would part.';

create function private.unique_conflicts(from_family uuid, to_family uuid, places jsonb)
  returns table (relation text, index_name text, key text, other_key text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  i record;
begin
  for i in
    select f.name, f.relation, f.owner_column, private.key_of(f.key_columns, 'x') as key, c.relname::text as index_name,
      coalesce(pg_get_expr(x.indpred, x.indrelid), 'true') as condition, k.columns, k.same, k.owned, k.plain_key
    from private.family_tables() f join pg_index x on x.indrelid = f.relation and x.indisunique join pg_class c on c.oid = x.indexrelid
      cross join lateral (
        select string_agg(format('%s as c%s', pg_get_indexdef(x.indexrelid, n, false), n), ', ' order by n) filter (where a.attname is distinct from f.owner_column) as columns,
          coalesce(string_agg(format(case when x.indnullsnotdistinct then '(s.c%1$s is null and o.c%1$s is null or s.c%1$s operator(%2$I.%3$s) o.c%1$s)'
            else 's.c%1$s operator(%2$I.%3$s) o.c%1$s' end, n, s.nspname, p.oprname), ' and ') filter (where a.attname is distinct from f.owner_column), 'true') as same,
          coalesce(bool_or(a.attname = f.owner_column), false) as owned,
          bool_and(coalesce(a.attname = f.owner_column or a.attname = any (f.key_columns), false)) as plain_key
        from generate_series(1, x.indnkeyatts) n
          left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[n - 1]
          join pg_opclass oc on oc.oid = x.indclass[n - 1]
          join pg_amop am on am.amopfamily = oc.opcfamily and am.amoplefttype = oc.opcintype and am.amoprighttype = oc.opcintype and am.amopstrategy = 3
          join pg_operator p on p.oid = am.amopopr join pg_namespace s on s.oid = p.oprnamespace
      ) k
  loop
    if i.owned and to_family is not null then
      return query execute format($q$
        select %1$L, %2$L, s.key, o.key
        from (select %3$s as key, x.* from (select x.*%4$s from %5$s x where x.%6$I = $1 and (%7$s)) x) s
          join (select %3$s as key, x.* from (select x.*%4$s from %5$s x where x.%6$I = $2 and (%7$s)) x) o on %8$s
        where s.key = any ($3) and o.key <> all ($4) order by 3, 4$q$,
        i.name, i.index_name, i.key, coalesce(', ' || i.columns, ''), i.relation, i.owner_column, i.condition, i.same)
        using from_family, to_family, private.keys_in(places, i.name, 'move') || case when i.plain_key then '{}' else private.keys_in(places, i.name, 'copy') end,
          private.keys_in(places, i.name, 'back');
    elsif not i.owned and not i.plain_key then
      return query execute format('select %L, %L, %s, null::text from %s x where x.%I = $1 and (%s) and %s = any ($2) order by 3',
        i.name, i.index_name, i.key, i.relation, i.owner_column, i.condition, i.key)
        using from_family, private.keys_in(places, i.name, 'copy');
    end if;
  end loop;
end $$;
comment on function private.unique_conflicts(uuid, uuid, jsonb) is
  'Rows that a unique index does not let arrive: against one that is there, or against their own original where they would be copied (other_key null).';

create function private.row_label(relation regclass, owner_column text, key_columns text[], family_id uuid, key text) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  label text;
  columns text;
begin
  -- Only what support may read in the table itself.
  select string_agg(format('x.%I', a.attname), ', ' order by a.attnum) into columns
  from (
    select a.attname, a.attnum from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped and t.typcategory = 'S'
      and has_column_privilege('nestsync_support', a.attrelid, a.attnum, 'select')
    order by a.attnum limit 3) a;
  if columns is null then
    return null;
  end if;
  execute format('select left(concat_ws('' '', %s), 80) from %s x where x.%I = $1 and %s = $2', columns, relation, owner_column, private.key_of(key_columns, 'x'))
    into label using family_id, key;
  return label;
end $$;

create function private.read_scope(m public.family_members, permission text, archived boolean) returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return case
    when m.user_id is null or m.status <> 'active' or m.access_expires_at <= clock_timestamp()
      or (archived and m.role <> 'family_core')
      or exists (select from public.users u where u.id = m.user_id and u.status in ('suspended', 'pending_deletion')) then null
    else private.effective_scope(m.role, m.granted_permissions, m.denied_permissions, permission) end;
comment on function private.read_scope(public.family_members, text, boolean) is 'To which rows of its family a membership opens a permission at this moment; null for none.';

-- Whoever is a member of either family: what they see of whom now, and what they would see afterwards.
create function private.move_people(from_family uuid, to_family uuid, places jsonb, from_archived boolean, to_archived boolean, from_archived_after boolean)
  returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with arriving as (select unnest(private.keys_in(places, 'public.family_members', 'move')) as key),
    copied as (select unnest(private.keys_in(places, 'public.family_members', 'copy')) as key),
    leaving as (select unnest(private.keys_in(places, 'public.family_members', 'back')) as key),
    going as (select unnest(private.keys_in(places, 'public.children', 'move')) as key),
    kids as (
      select count(*) filter (where c.family_id = from_family and c.id::text in (select key from going)) as gone,
        count(*) filter (where c.family_id = from_family and c.id::text not in (select key from going)) as kept,
        count(*) filter (where c.family_id = to_family) as there
      from public.children c where c.family_id in (from_family, to_family) and c.deleted_at is null),
    members as (
      select m as row, m.user_id, m.family_id = from_family as ours,
        case when m.family_id = from_family then m.id::text in (select key from arriving union all select key from copied)
          else m.id::text not in (select key from leaving) end as then_there,
        case when m.family_id = from_family then m.id::text not in (select key from arriving)
          else m.id::text in (select key from leaving) end as then_here
      from public.family_members m where m.family_id in (from_family, to_family)),
    people as (
      select user_id,
        (array_agg(row) filter (where ours))[1] as was_here, (array_agg(row) filter (where not ours))[1] as was_there,
        (array_agg(row) filter (where then_here))[1] as is_here, (array_agg(row order by ours) filter (where then_there))[1] as is_there
      from members group by user_id),
    seen as (
      select p.*, s.*, k.*
      from people p cross join kids k cross join lateral (
        select private.read_scope(p.was_here, 'children:read', from_archived) is not null as saw_here,
          private.read_scope(p.was_there, 'children:read', to_archived) is not null as saw_there,
          private.read_scope(p.is_here, 'children:read', from_archived_after) is not null as sees_here,
          private.read_scope(p.is_there, 'children:read', to_archived) is not null as sees_there) s),
    judged as (
      select user_id, was_here, was_there, is_here, is_there,
        (case when sees_there and not saw_here then gone else 0 end) + (case when sees_here and not saw_here then kept else 0 end)
          + (case when sees_there and not saw_there then there else 0 end) as more_children,
        (case when saw_here and not sees_there then gone else 0 end) + (case when saw_here and not sees_here then kept else 0 end)
          + (case when saw_there and not sees_there then there else 0 end) as fewer_children,
        array(
          select distinct split_part(r.permission, ':', 1) from public.role_permissions r
          where r.permission like '%:read' and private.read_scope(is_there, r.permission, to_archived) is not null
            and ((gone > 0 and private.read_scope(was_here, r.permission, from_archived) is distinct from private.read_scope(is_there, r.permission, to_archived)
                and coalesce(private.read_scope(was_here, r.permission, from_archived), 'none') <> 'all')
              or (there > 0 and private.read_scope(was_there, r.permission, to_archived) is distinct from private.read_scope(is_there, r.permission, to_archived)
                and coalesce(private.read_scope(was_there, r.permission, to_archived), 'none') <> 'all'))
          order by 1) as newly_reads,
        array(
          select distinct split_part(r.permission, ':', 1) from public.role_permissions r
          where r.permission like '%:read' and gone > 0 and private.read_scope(was_here, r.permission, from_archived) is not null
            and (private.read_scope(is_there, r.permission, to_archived) is null
              or private.read_scope(was_here, r.permission, from_archived) = 'all' and private.read_scope(is_there, r.permission, to_archived) <> 'all')
          order by 1) as no_longer_reads
      from seen)
  select coalesce(jsonb_agg(jsonb_build_object('user_id', j.user_id, 'email', u.email,
      'from_before', (j.was_here).role, 'from_after', (j.is_here).role, 'to_before', (j.was_there).role, 'to_after', (j.is_there).role,
      'more_children', j.more_children, 'fewer_children', j.fewer_children, 'newly_reads', to_jsonb(j.newly_reads), 'no_longer_reads', to_jsonb(j.no_longer_reads))
    order by j.more_children desc, u.email), '[]')
  from judged j join public.users u on u.id = j.user_id;
end;
comment on function private.move_people(uuid, uuid, jsonb, boolean, boolean, boolean) is
  'Members of both families with their roles before and after a move, how many children more or fewer they would see, and what of theirs.';

create function private.going_back(known jsonb, relation text, key text) returns jsonb
  language sql immutable set search_path = pg_catalog, pg_temp
  return known || jsonb_build_object(relation, coalesce(known -> relation, '{}')
    || jsonb_build_object('back', coalesce(known -> relation -> 'back', '[]') || to_jsonb(key)));

-- The plan ---------------------------------------------------------------------------------------------------------

create function private.plan_move(request jsonb) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
  set timezone = 'UTC' set intervalstyle = 'iso_8601' set bytea_output = 'hex' set extra_float_digits = 1 as $$
declare
  kind text := request ->> 'kind';
  undone ops.moves;
  v_from uuid := (request ->> 'from')::uuid;
  v_to uuid := (request ->> 'to')::uuid;
  children text[] := array(select jsonb_array_elements_text(request -> 'children'));
  decisions jsonb := coalesce(request -> 'shared', '{}');
  known jsonb := '{}';
  behind jsonb := '{}';
  crossing jsonb;
  places jsonb;
  source public.families;
  target public.families;
  refusals jsonb := '[]';
  conflicts jsonb;
  decided jsonb := '[]';
  broken jsonb;
  shared jsonb := '[]';
  counts jsonb := '[]';
  listed jsonb;
  choice text;
  added boolean;
  c record;
  t record;
  follower record;
  hash text;
  other_hash text;
begin
  if kind = 'undo' then
    select m.* into undone from ops.moves m where m.id = (request ->> 'undoes')::uuid;
    v_from := undone.to_family;
    v_to := undone.from_family;
    children := undone.children::text[];
    decisions := undone.shared || jsonb_build_object('*', 'stay');
    if undone.kind = 'undo' or exists (select from ops.moves m where m.undoes = undone.id) then
      refusals := refusals || jsonb_build_object('code', 'undone', 'message', 'This move was undone already, or undoes another.');
    end if;
    for t in select * from private.family_tables() f loop
      execute format($q$
        select coalesce(jsonb_object_agg(e.value, e.key), '{}')
        from jsonb_each_text($1) e where exists (select from %s x where x.%I = $2 and %s = e.key)$q$,
        t.relation, t.owner_column, private.key_of(t.key_columns, 'x'))
        into listed using coalesce(undone.copied -> t.name, '{}'), v_to;
      known := known || jsonb_build_object(t.name, jsonb_build_object('map', listed, 'back', coalesce(undone.back -> t.name, '[]')));
      -- Copies stay where they were made; what uses them goes back to the originals.
      behind := behind || jsonb_build_object(t.name, array(select jsonb_object_keys(listed)));
    end loop;
  elsif kind = 'merge' then
    children := array(select x.id::text from public.children x where x.family_id = v_from order by x.id);
    decisions := jsonb_build_object('*', 'move');
  end if;
  select f.* into source from public.families f where f.id = v_from;
  select f.* into target from public.families f where f.id = v_to;
  if source.id is null or (kind <> 'split' and target.id is null) then
    perform private.fail('NS006', 'there is no such family', 'nestctl family list');
  end if;

  if v_from = v_to then
    perform private.fail('NS007', 'these are not two families');
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('code', 'not_covered', 'message', g || '.')), '[]') into listed from unnest(private.family_gaps()) g;
  if listed <> '[]' then
    -- To place rows of such tables would be guessing.
    return jsonb_build_object('plan', jsonb_build_object('kind', kind, 'undoes', undone.id,
      'from', jsonb_build_object('id', source.id, 'name', source.name, 'archived_at', source.archived_at),
      'to', jsonb_build_object('id', v_to, 'name', coalesce(target.name, request ->> 'name'), 'archived_at', target.archived_at),
      'children', '[]'::jsonb, 'tables', '[]'::jsonb, 'shared', '[]'::jsonb, 'conflicts', '[]'::jsonb, 'cut', '[]'::jsonb, 'people', '[]'::jsonb,
      'refusals', listed));
  end if;
  if target.archived_at is not null and undone.kind is distinct from 'merge' then
    refusals := refusals || jsonb_build_object('code', 'archived', 'message', 'The family that is to receive the children is archived.');
  end if;
  for c in select k.key from unnest(children) k (key) where not exists (select from public.children x where x.family_id = v_from and x.id::text = k.key) loop
    refusals := refusals || jsonb_build_object('code', 'no_such_child', 'message', format('Family %s has no child %s.', v_from, c.key));
  end loop;
  if kind in ('split', 'child') and cardinality(children) = 0 then
    refusals := refusals || jsonb_build_object('code', 'no_child', 'message', 'No child was named.');
  end if;
  for c in select d.key from jsonb_object_keys(decisions) d (key) where d.key <> '*' and d.key not in (select f.name from private.family_tables() f where f.name <> 'public.children') loop
    perform private.fail('NS007', format('no table %s belongs to families', c.key));
  end loop;

  loop
    places := private.place_rows(v_from, children, decisions, '{}', behind, known);
    select coalesce(jsonb_object_agg(b.target, b.keys), '{}') into crossing
    from (select l.target, jsonb_agg(distinct l.value) as keys from private.broken_links(v_from, v_to, places) l
      where l.side in ('arriving', 'staying') and l.target <> 'public.children' group by l.target) b;
    places := private.place_rows(v_from, children, decisions, crossing, behind, known);
    added := false;
    conflicts := '[]';
    for c in
      select u.*, f.relation as rel, f.owner_column, f.key_columns from private.unique_conflicts(v_from, v_to, places) u join private.family_tables() f on f.name = u.relation
    loop
      choice := coalesce(request -> 'conflicts' -> c.relation ->> c.key, request -> 'conflicts' -> c.relation ->> '*', request -> 'conflicts' ->> '*');
      if c.other_key is not null and choice is null then
        -- Two rows that say the same need no decision.
        execute format($q$select 'keep' from %1$s s, %1$s o where s.%2$I = $1 and %3$s = $2 and o.%2$I = $3 and %4$s = $4
            and to_jsonb(s) - $5 = to_jsonb(o) - $5$q$, c.rel, c.owner_column, private.key_of(c.key_columns, 's'), private.key_of(c.key_columns, 'o'))
          into choice using v_from, c.key, v_to, c.other_key,
            c.key_columns || array[c.owner_column, 'created_at', 'updated_at', 'created_by', 'invited_by', 'joined_at'];
      end if;
      if c.other_key is not null and choice = 'keep' then
        behind := jsonb_set(behind, array[c.relation], coalesce(behind -> c.relation, '[]') || to_jsonb(c.key));
        added := true;
      elsif c.other_key is not null and choice = 'swap' then
        known := private.going_back(known, c.relation, c.other_key);
        -- What cannot be without it goes along.
        loop
          select l.relation, l.key into follower from private.broken_links(v_from, v_to, known) l where l.side = 'there' limit 1;
          exit when not found;
          known := private.going_back(known, follower.relation, follower.key);
        end loop;
        added := true;
      else
        refusals := refusals || jsonb_build_object('code', case when c.other_key is null then 'not_copied' else 'conflict' end, 'table', c.relation, 'key', c.key,
          'message', case when c.other_key is null then format('%s %s cannot be in two families: %s.', c.relation, c.key, c.index_name)
            else format('%s %s of one family and %s of the other cannot both be there (%s): keep the one that is there, or swap them.', c.relation, c.key, c.other_key, c.index_name) end);
      end if;
      conflicts := conflicts || jsonb_build_object('table', c.relation, 'index', c.index_name, 'key', c.key, 'other_key', c.other_key, 'choice', choice,
        'what', private.row_label(c.rel, c.owner_column, c.key_columns, v_from, c.key),
        'other', private.row_label(c.rel, c.owner_column, c.key_columns, v_to, c.other_key));
    end loop;
    exit when not added;
    -- What was decided is a conflict no longer; what was not is found again.
    decided := decided || (select coalesce(jsonb_agg(e), '[]') from jsonb_array_elements(conflicts) e where e ->> 'choice' in ('keep', 'swap'));
    refusals := (select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(refusals) r where r ->> 'code' not in ('conflict', 'not_copied'));
  end loop;
  conflicts := decided || conflicts;

  for c in select d.key as name, k.key from jsonb_each(decisions) d cross join lateral jsonb_object_keys(d.value) k (key)
    where kind <> 'undo' and jsonb_typeof(d.value) = 'object' and k.key <> '*' and not (places -> d.key -> 'shared' ? k.key)
  loop
    refusals := refusals || jsonb_build_object('code', 'not_shared', 'table', c.name, 'key', c.key, 'message', format('%s %s is no shared row: it goes with its child.', c.name, c.key));
  end loop;
  select coalesce(jsonb_agg(to_jsonb(l)), '[]') into broken from private.broken_links(v_from, v_to, places) l;
  for c in select b ->> 'relation' as relation, b ->> 'target' as target, count(*) as n from jsonb_array_elements(broken) b
    where not (b ->> 'cuttable')::boolean group by 1, 2 order by 1, 2
  loop
    refusals := refusals || jsonb_build_object('code', 'inseparable', 'table', c.relation, 'message', format('%s rows of %s cannot part from %s.', c.n, c.relation, c.target));
  end loop;

  for t in select * from private.family_tables() f order by f.place loop
    execute format($q$
      select encode(sha256(coalesce(string_agg(sha256(convert_to(x::text, 'UTF8')), ''::bytea order by %1$s collate "C") filter (where x.%3$I = $1), '')), 'hex'),
        encode(sha256(coalesce(string_agg(sha256(convert_to(x::text, 'UTF8')), ''::bytea order by %1$s collate "C") filter (where x.%3$I = $2), '')), 'hex')
      from %2$s x where x.%3$I in ($1%4$s)$q$,
      private.key_of(t.key_columns, 'x'), t.relation, t.owner_column, case when t.direct then ', $2' else '' end)
      into hash, other_hash using v_from, v_to;
    counts := counts || jsonb_build_object('table', t.name, 'rows', places -> t.name -> 'rows', 'moves', jsonb_array_length(places -> t.name -> 'move'),
      'copies', jsonb_array_length(places -> t.name -> 'copy'), 'goes_back', coalesce(jsonb_array_length(places -> t.name -> 'back'), 0), 'hash', hash, 'other_hash', other_hash);
    if jsonb_array_length(places -> t.name -> 'copy') > 0 and not exists (
      select from pg_attribute a where a.attrelid = t.relation and array[a.attname::text] = t.key_columns and a.atttypid = 'uuid'::regtype) then
      refusals := refusals || jsonb_build_object('code', 'not_copied', 'table', t.name, 'message', format('Rows of %s have no id of their own that a copy could change.', t.name));
    end if;
    if kind <> 'merge' and jsonb_array_length(places -> t.name -> 'shared') > 0 then
      select jsonb_build_object('table', t.name, 'rows', count(*), 'moves', count(*) filter (where s.how = 'move'), 'copies', count(*) filter (where s.how = 'copy'),
        'open', count(*) filter (where s.how is null and places -> t.name -> 'open' ? s.key),
        'first', jsonb_agg(jsonb_build_object('key', s.key, 'choice', coalesce(s.how, case when places -> t.name -> 'open' ? s.key then 'open' else 'stay' end),
          'what', private.row_label(t.relation, t.owner_column, t.key_columns, v_from, s.key)) order by s.key) filter (where s.n <= 50))
      into listed
      from (
        select k.key, k.n, case when places -> t.name -> 'move' ? k.key then 'move' when places -> t.name -> 'copy' ? k.key then 'copy' end as how
        from jsonb_array_elements_text(places -> t.name -> 'shared') with ordinality k (key, n)) s;
      shared := shared || listed;
      if (listed ->> 'open')::integer > 0 then
        refusals := refusals || jsonb_build_object('code', 'undecided', 'table', t.name,
          'message', format('%s rows of %s belong to no child alone: stay, move or copy?', listed ->> 'open', t.name));
      end if;
    end if;
  end loop;
  if not exists (select from jsonb_array_elements(counts) k where (k ->> 'moves')::integer > 0) then
    refusals := refusals || jsonb_build_object('code', 'nothing', 'message', 'There is nothing to move.');
  end if;

  -- Children are never without a family_core member, on either side.
  for c in
    select s.side, count(*) filter (where s.child) as children, count(*) filter (where s.core) as cores
    from (
      select case when x.id::text = any (children) then 'to' else 'from' end as side, true as child, false as core
      from public.children x where x.family_id = v_from and x.deleted_at is null
      union all select 'to', true, false from public.children x where x.family_id = v_to and x.deleted_at is null
      union all
      select side, false, true
      from public.family_members m cross join unnest(array['from', 'to']) side
      where m.family_id in (v_from, v_to) and m.role = 'family_core' and m.status = 'active' and (m.access_expires_at is null or m.access_expires_at > clock_timestamp())
        and case
          when m.family_id = v_from and side = 'from' then not (places -> 'public.family_members' -> 'move' ? m.id::text)
          when m.family_id = v_from then places -> 'public.family_members' -> 'move' ? m.id::text or places -> 'public.family_members' -> 'copy' ? m.id::text
          when side = 'to' then not coalesce(places -> 'public.family_members' -> 'back' ? m.id::text, false)
          else coalesce(places -> 'public.family_members' -> 'back' ? m.id::text, false) end
    ) s group by s.side
  loop
    if c.children > 0 and c.cores = 0 then
      refusals := refusals || jsonb_build_object('code', 'no_core', 'message', case c.side
        when 'to' then 'The children would come to a family without a family_core member.' else 'The children who stay would be without a family_core member.' end);
    end if;
  end loop;

  return jsonb_build_object(
    'plan', jsonb_build_object('kind', kind, 'undoes', undone.id,
      'from', jsonb_build_object('id', source.id, 'name', source.name, 'archived_at', source.archived_at),
      'to', jsonb_build_object('id', v_to, 'name', coalesce(target.name, request ->> 'name'), 'archived_at', target.archived_at),
      'children', (select coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'name', x.name) order by x.date_of_birth, x.name, x.id), '[]')
        from public.children x where x.family_id = v_from and x.id::text = any (children)),
      'tables', counts, 'shared', shared, 'conflicts', conflicts,
      'cut', (select coalesce(jsonb_agg(jsonb_build_object('table', b.relation, 'target', b.target, 'column', b."column", 'side', b.side, 'rows', b.n) order by b.relation, b."column", b.side), '[]')
        from (select b ->> 'relation' as relation, b ->> 'target' as target, b ->> 'column' as "column", b ->> 'side' as side, count(*) as n
          from jsonb_array_elements(broken) b where (b ->> 'cuttable')::boolean group by 1, 2, 3, 4) b),
      'people', private.move_people(v_from, v_to, places, source.archived_at is not null,
        case when undone.kind = 'merge' then undone.was_archived_at is not null else target.archived_at is not null end, source.archived_at is not null or kind = 'merge'),
      'refusals', refusals, 'request', request,
      'catalogue', (select encode(sha256(convert_to(string_agg(d.line, E'\n' order by d.line), 'UTF8')), 'hex') from (
        select format('%s %s %s %s', f.name, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod)) as line
        from private.family_tables() f join pg_attribute a on a.attrelid = f.relation and a.attnum > 0 and not a.attisdropped
        union all select format('%s %s', l.relation, pg_get_constraintdef(l.oid)) from private.family_tables() f join (
          select k.oid, k.conrelid::regclass as relation from pg_constraint k) l on l.relation = f.relation
        union all select pg_get_indexdef(x.indexrelid) from private.family_tables() f join pg_index x on x.indrelid = f.relation and x.indisunique) d)),
    'places', places, 'broken', broken);
end $$;

create function private.require_move(request jsonb) returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  undone ops.moves;
begin
  if coalesce(request ->> 'kind', '') not in ('merge', 'split', 'child', 'undo') then
    perform private.fail('NS007', 'a move is a merge, a split, a child''s or an undo');
  end if;
  if exists (
    select from unnest(array['shared', 'conflicts']) part
      cross join lateral jsonb_path_query(coalesce(request -> part, '{}'), 'strict $.** ? (@.type() != "object")') leaf
    where leaf #>> '{}' <> all (case part when 'shared' then array['stay', 'move', 'copy'] else array['keep', 'swap'] end)) then
    perform private.fail('NS007', 'a shared row stays, moves or is copied; of two in conflict one is kept, or they swap');
  end if;
  if request ->> 'kind' = 'undo' then
    select m.* into undone from ops.moves m where m.id = (request ->> 'undoes')::uuid;
    if undone.id is null then
      perform private.fail('NS006', 'there is no such move');
    end if;
    perform private.require_family(undone.from_family);
    perform private.require_family(undone.to_family);
  else
    perform private.require_family((request ->> 'from')::uuid);
    if request ->> 'kind' = 'split' then
      if coalesce(request ->> 'name', '') !~ '[^[:space:]]' or request ->> 'to' is not null then
        perform private.fail('NS007', 'a split makes a new family, which has a name');
      end if;
    else
      perform private.require_family((request ->> 'to')::uuid);
    end if;
  end if;
  -- Triggers would take the rows for that person's own.
  if private.current_user_id() is not null then
    perform private.fail('NS004', 'nothing is moved between families while acting for a person');
  end if;
end $$;

create function private.move_plan_hash(plan jsonb) returns text
  language sql immutable set search_path = pg_catalog, pg_temp
  return encode(sha256(convert_to(plan::text, 'UTF8')), 'hex');

create function ops.plan_move(request jsonb) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  plan jsonb;
begin
  perform private.require_move(request);
  plan := private.plan_move(request) -> 'plan';
  return plan || jsonb_build_object('hash', private.move_plan_hash(plan));
end $$;
comment on function ops.plan_move(jsonb) is
  'What a move would do, and why it would be refused. request: {kind: merge|split|child|undo, from, to, name, children: [id], shared: {"*"|table: choice|{"*"|key: choice}}, conflicts: likewise, undoes}; choices: stay, move, copy; of conflicts keep, swap.';

-- The move itself --------------------------------------------------------------------------------------------------

-- What is to move, with whatever a row could hang on meanwhile: whoever would add to it waits for these, and then finds
-- either the family's row as it was or nothing to point to.
create function private.lock_move(from_family uuid, to_family uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  t record;
begin
  perform from public.families f where f.id in (from_family, to_family) order by f.id for update;
  for t in select * from private.family_tables() f order by f.place loop
    execute format('select count(*) from (select from %s x where x.%I in ($1%s) order by %s collate "C" for update) x',
      t.relation, t.owner_column, case when t.direct then ', $2' else '' end, private.key_of(t.key_columns, 'x')) using from_family, to_family;
  end loop;
end $$;

create function private.moved_hash(owner uuid, places jsonb, broken jsonb) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  links private.family_link[] := array(select l from private.family_links() l);
  hashes jsonb := '{}';
  t record;
  hash text;
begin
  for t in select * from private.family_tables() f where jsonb_array_length(places -> f.name -> 'move') > 0 loop
    execute format('select encode(sha256(string_agg(sha256(convert_to((to_jsonb(x) - $2)::text, ''UTF8'')), '''' order by %1$s collate "C")), ''hex'') from %2$s x where x.%3$I = $1 and %1$s = any ($3)',
      private.key_of(t.key_columns, 'x'), t.relation, t.owner_column)
      into hash
      using owner, t.owner_column || array(select distinct l.columns[1] from unnest(links) l
        where l.relation = t.relation and cardinality(l.columns) = 1
          and (coalesce(places -> l.target_name -> 'map', '{}') <> '{}' or exists (select from jsonb_array_elements(broken) b where b ->> 'constraint_name' = l.constraint_name))),
        private.keys_in(places, t.name, 'move');
    hashes := hashes || jsonb_build_object(t.name, hash);
  end loop;
  return hashes;
end $$;
comment on function private.moved_hash(uuid, jsonb, jsonb) is 'The content of the rows that move, without their family and without links that change.';

-- One statement for all tables: each takes its rows out and puts them in again. Sorted, so that all are out before the
-- first is in, and no unique index sees both. In the log the two have no order between them.
create function private.move_statement(places jsonb, broken jsonb) returns text
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  links private.family_link[] := array(select l from private.family_links() l);
  t record;
  parts text[] := '{}';
  counts text[] := '{}';
  columns text;
  expressions text;
  moving text[];
  copied text[];
  back text[];
begin
  for t in select * from private.family_tables() f order by f.place loop
    moving := private.keys_in(places, t.name, 'move');
    copied := private.keys_in(places, t.name, 'copy');
    back := private.keys_in(places, t.name, 'back');
    continue when cardinality(moving || copied || back) = 0;
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
      string_agg(case
        when a.attname = t.owner_column then format('case r.%1$I when $1 then $2 else $1 end', a.attname)
        when array[a.attname::text] = t.key_columns then format('case when r.is_copy then private.copy_id($3, r.%1$I::text) else r.%1$I end', a.attname)
        when l.target_name is not null then format($e$case when r.%1$I::text = any (%2$L::text[]) then r.%1$I else (%3$L::jsonb ->> r.%1$I::text)::%4$s end$e$,
          a.attname, private.keys_in(places, l.target_name, 'move') || private.keys_in(places, l.target_name, 'back'), coalesce(places -> l.target_name -> 'map', '{}'), format_type(a.atttypid, a.atttypmod))
        else format('r.%I', a.attname) end, ', ' order by a.attnum)
    into columns, expressions
    from pg_attribute a
      left join lateral (
        select k.target_name
        from unnest(links) k
        where k.relation = t.relation and k.columns = array[a.attname::text]
          and (coalesce(places -> k.target_name -> 'map', '{}') <> '{}' or exists (select from jsonb_array_elements(broken) b where b ->> 'constraint_name' = k.constraint_name))
        limit 1) l on true
    where a.attrelid = t.relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
    parts := parts || format($s$
      out_%1$s as (delete from %2$s x where x.%3$I = $1 and %4$s = any (%5$L::text[]) or x.%3$I = $2 and %4$s = any (%6$L::text[]) returning x.*),
      in_%1$s as (
        insert into %2$s (%8$s) overriding system value
        select %9$s
        from (select o.*, false as is_copy from out_%1$s o union all select x.*, true from %2$s x where x.%3$I = $1 and %4$s = any (%7$L::text[])) r
        order by %10$s
        returning 1)$s$,
      t.place, t.relation, t.owner_column, private.key_of(t.key_columns, 'x'), moving, back, copied, columns, expressions, private.key_of(t.key_columns, 'r'));
    counts := counts || format('%L, jsonb_build_object(''in'', (select count(*) from in_%s), ''out'', (select count(*) from out_%s))', t.name, t.place, t.place);
  end loop;
  return 'with ' || array_to_string(parts, ',') || ' select jsonb_build_object(' || array_to_string(counts, ', ') || ')';
end $$;

create function private.mend_links(cut jsonb, family uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  l record;
begin
  for l in
    select k.columns[1] as "column", x.relation, x.owner_column, private.key_of(x.key_columns, 'x') as key, y.relation as target, y.owner_column as target_owner,
      private.key_of(y.key_columns, 'y') as target_key, format_type(a.atttypid, a.atttypmod) as type,
      (select jsonb_object_agg(c ->> 'key', c ->> 'value') from jsonb_array_elements(cut) c where c ->> 'constraint_name' = k.constraint_name and c ->> 'relation' = x.name) as values
    from private.family_links() k join private.family_tables() x on x.relation = k.relation join private.family_tables() y on y.relation = k.target
      join pg_attribute a on a.attrelid = k.relation and a.attname = k.columns[1]
    where exists (select from jsonb_array_elements(cut) c where c ->> 'constraint_name' = k.constraint_name and c ->> 'relation' = x.name)
  loop
    execute format('update %1$s x set %2$I = ($2 ->> %3$s)::%4$s where x.%5$I = $1 and $2 ? %3$s and x.%2$I is null
        and exists (select from %6$s y where y.%7$I = $1 and %8$s = $2 ->> %3$s)',
      l.relation, l."column", l.key, l.type, l.owner_column, l.target, l.target_owner, l.target_key) using family, l.values;
  end loop;
end $$;
comment on function private.mend_links(jsonb, uuid) is 'Ties again what a move that is undone had cut, where both ends are there and nothing else was tied since.';

create function ops.make_move(request jsonb, seen text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  -- Kept, so that what follows in this transaction goes on under its own request.
  own_request text := current_setting('nestsync.request', true);
  v_move uuid := gen_random_uuid();
  undone ops.moves;
  v_from uuid := (request ->> 'from')::uuid;
  v_to uuid := (request ->> 'to')::uuid;
  planned jsonb;
  plan jsonb;
  places jsonb;
  before jsonb;
  counts jsonb;
  t record;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.fail('NS005', 'a move is made at isolation level read committed, where it sees what it has waited for');
  end if;
  perform private.require_move(request);
  if request ->> 'kind' = 'undo' then
    select m.* into undone from ops.moves m where m.id = (request ->> 'undoes')::uuid;
    v_from := undone.to_family;
    v_to := undone.from_family;
  end if;
  perform private.lock_move(v_from, v_to);
  planned := private.plan_move(request);
  plan := planned -> 'plan';
  if jsonb_array_length(plan -> 'refusals') > 0 then
    perform private.fail('NS005', (select string_agg(rtrim(r ->> 'message', '.'), '; ') from jsonb_array_elements(plan -> 'refusals') r),
      'See the whole plan with --dry-run.');
  end if;
  if seen is distinct from private.move_plan_hash(plan) then
    perform private.fail('NS005', 'the rows or the tables have changed since the plan was shown', 'Run the command again and look at the new plan.');
  end if;
  places := planned -> 'places';
  perform set_config('nestsync.request', v_move::text, true);

  if request ->> 'kind' = 'split' then
    insert into public.families (name, family_type, timezone, province)
    select request ->> 'name', f.family_type, f.timezone, f.province from public.families f where f.id = v_from returning id into v_to;
  end if;
  for t in select * from private.family_tables() f where jsonb_array_length(places -> f.name -> 'copy') > 0 loop
    places := jsonb_set(places, array[t.name, 'map'], (
      select jsonb_object_agg(k, private.copy_id(v_move, k)) from unnest(private.keys_in(places, t.name, 'copy')) k));
  end loop;
  insert into ops.moves (id, kind, from_family, to_family, children, shared, back, copied, cut, counts, plan_hash, was_archived_at, undoes, reason, ticket, request_id)
  values (v_move, request ->> 'kind', v_from, v_to,
    array(select (c ->> 'id')::uuid from jsonb_array_elements(plan -> 'children') c),
    (select coalesce(jsonb_object_agg(p.key, (select jsonb_object_agg(k, 'move') from jsonb_array_elements_text(p.value -> 'shared') k where p.value -> 'move' ? k)), '{}')
      from jsonb_each(places) p where exists (select from jsonb_array_elements_text(p.value -> 'shared') k where p.value -> 'move' ? k)),
    (select coalesce(jsonb_object_agg(p.key, p.value -> 'back'), '{}') from jsonb_each(places) p where jsonb_array_length(p.value -> 'back') > 0),
    (select coalesce(jsonb_object_agg(p.key, p.value -> 'map'), '{}') from jsonb_each(places) p where request ->> 'kind' <> 'undo' and p.value -> 'map' <> '{}'),
    planned -> 'broken',
    (select jsonb_agg(c - 'hash' - 'other_hash') from jsonb_array_elements(plan -> 'tables') c where (c ->> 'moves')::integer + (c ->> 'copies')::integer + (c ->> 'goes_back')::integer > 0),
    seen, (plan -> 'from' ->> 'archived_at')::timestamptz, undone.id,
    btrim(current_setting('nestsync.reason')), btrim(current_setting('nestsync.ticket')), nullif(own_request, ''));

  before := private.moved_hash(v_from, places, planned -> 'broken');
  execute private.move_statement(places, planned -> 'broken') into counts using v_from, v_to, v_move;
  if private.moved_hash(v_to, places, planned -> 'broken') <> before then
    perform private.fail('NS005', 'rows changed on their way to the other family, so nothing was moved', 'A trigger of one of these tables changes what is inserted.');
  end if;
  if undone.id is not null then
    perform private.mend_links(undone.cut, v_to);
  end if;
  if request ->> 'kind' = 'merge' then
    update public.families f set archived_at = clock_timestamp() where f.id = v_from and f.archived_at is null;
  elsif undone.kind = 'merge' then
    update public.families f set archived_at = undone.was_archived_at where f.id = v_to;
  elsif undone.kind = 'split' and not exists (select from public.children c where c.family_id = v_from) then
    update public.families f set archived_at = clock_timestamp() where f.id = v_from and f.archived_at is null;
  end if;

  -- And in the log exactly what was planned, no cascade more.
  for t in
    select f.name, coalesce((c.value ->> 'moves')::bigint + (c.value ->> 'goes_back')::bigint, 0) as outs,
      coalesce((c.value ->> 'moves')::bigint + (c.value ->> 'goes_back')::bigint + (c.value ->> 'copies')::bigint, 0) as ins,
      (select count(*) from audit.events e where e.request_id = v_move::text and e.xid = pg_current_xact_id() and e.table_name = f.name and e.operation = 'DELETE') as logged_out,
      (select count(*) from audit.events e where e.request_id = v_move::text and e.xid = pg_current_xact_id() and e.table_name = f.name and e.operation = 'INSERT') as logged_in
    from private.family_tables() f left join jsonb_array_elements(plan -> 'tables') c on c.value ->> 'table' = f.name
  loop
    if t.outs <> t.logged_out or t.ins <> t.logged_in or coalesce((counts -> t.name ->> 'out')::bigint, 0) <> t.outs or coalesce((counts -> t.name ->> 'in')::bigint, 0) <> t.ins then
      perform private.fail('NS005', format('of %s, %s rows were to leave and %s to arrive; %s left and %s arrived, and the log has %s and %s: nothing was moved',
        t.name, t.outs, t.ins, coalesce(counts -> t.name ->> 'out', '0'), coalesce(counts -> t.name ->> 'in', '0'), t.logged_out, t.logged_in));
    end if;
  end loop;
  perform set_config('nestsync.request', coalesce(own_request, ''), true);
  return jsonb_build_object('move', v_move, 'kind', request ->> 'kind', 'from', v_from, 'to', v_to,
    'tables', (select m.counts from ops.moves m where m.id = v_move));
end $$;
comment on function ops.make_move(jsonb, text) is
  'Makes the move whose plan had this hash, in one statement, and reads it back; refused where rows or tables have changed since. Its events carry the move''s id as their request.';

-- Where a row has lived --------------------------------------------------------------------------------------------

create function private.row_families(table_name text, row_id uuid)
  returns table (family_id uuid, since timestamptz, until timestamptz, came_by uuid, left_by uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  with steps as (
    select e.family_id, e.operation, e.occurred_at, e.epoch, e.xid, e.id, m.id as move,
      lead(e.occurred_at) over w as ended_at, lead(e.operation) over w as ended_by, lead(m.id) over w as next_move
    from audit.events e left join ops.moves m on m.id::text = e.request_id and m.xid = e.xid
    where e.record_id = row_families.row_id and e.table_name = row_families.table_name and e.operation in ('INSERT', 'DELETE')
    window w as (partition by e.family_id order by e.epoch, e.xid, e.id)
  )
  select s.family_id, s.occurred_at, case when s.ended_by = 'DELETE' then s.ended_at end, s.move, case when s.ended_by = 'DELETE' then s.next_move end
  from steps s where s.operation = 'INSERT' order by s.epoch, s.xid, s.id;
end;
comment on function private.row_families(text, uuid) is
  'The families that a row has lived in, the first first: since when, until when (null: still), and by which moves it came and left. Table as schema.table.';

create function ops.row_families(table_name text, row_id uuid)
  returns table (family_id uuid, since timestamptz, until timestamptz, came_by uuid, left_by uuid)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if coalesce(private.session_duty(), '') not in ('support', 'compliance', 'auditor', 'admin') then
    perform private.fail('NS004', 'where a row has lived is read under the duty support, compliance, auditor or admin');
  end if;
  return query
    select f.* from private.row_families(row_families.table_name, row_families.row_id) f
    where private.session_duty() in ('compliance', 'auditor') or private.break_glass()
      or exists (select from private.row_families(row_families.table_name, row_families.row_id) g where g.family_id = any (private.granted_families()));
end $$;
comment on function ops.row_families(text, uuid) is 'As private.row_families, for whoever may read one of these families.';

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.plan_move(jsonb), ops.make_move(jsonb, text) to nestsync_support, nestsync_admin;
grant execute on function ops.row_families(text, uuid) to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;
