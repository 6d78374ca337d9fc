-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where no package was ever made
-- seeds: privacy.naming_columns, ops.duty_permissions, audit.captured_tables, privacy.column_answers, privacy.paths

-- The package of a person: which rows and columns it holds is what the data map says, and nothing else. -----------------

-- A row of the audit log is the person's as a whole, and tells nothing without when and what. Its images of rows are
-- given as the rows themselves, where whose they are can be told column by column.
select privacy.declare('audit.events', 'id occurred_at category operation table_name duty family_id', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'keep', 'accountability'),
  privacy.declare('audit.events', 'family_id', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'anonymize'),
  privacy.declare('audit.events', 'old_row new_row', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'anonymize',
    withheld => 'the row itself is given; its earlier states name others too and are told on request (PIPEDA s. 9(1))'),
  privacy.declare('audit.events', 'named_old named_new', 'joint', 'author', 'access_record', 'observed', 'accountability', 'audit', 'anonymize',
    withheld => 'names others (PIPEDA s. 9(1))'),
  -- Who looked, as their person or their household was looked at (PIPEDA principle 4.9.1).
  privacy.declare('audit.readings', 'id duty kind asked_at', 'joint', 'household', 'access_record', 'observed', 'accountability', 'access_record', 'delete');

create table privacy.naming_columns (
  table_name text not null,
  column_name text not null,
  names text not null,
  primary key (table_name, column_name),
  constraint naming_columns_names check (names in ('name', 'place', 'email', 'phone')),
  constraint naming_columns_answer_fkey foreign key (table_name, column_name) references privacy.column_answers (table_name, column_name)
);
comment on table privacy.naming_columns is
  'Columns by whose values somebody is named: what another person is called there is replaced wherever a package would tell it. Changes only by migration.';
comment on column privacy.naming_columns.names is 'name: whole, and each of its words; place: whole; email; phone, however it is written.';
insert into privacy.naming_columns (table_name, column_name, names) values
  ('public.users', 'first_name', 'name'), ('public.users', 'last_name', 'name'), ('public.users', 'display_name', 'name'),
  ('public.users', 'email', 'email'), ('public.users', 'phone_number', 'phone'),
  ('public.children', 'name', 'name'),
  ('public.emergency_profiles', 'contact_name', 'name'), ('public.emergency_profiles', 'phone_primary', 'phone'), ('public.emergency_profiles', 'phone_secondary', 'phone'),
  ('public.emergency_profiles', 'provider_name', 'name'), ('public.emergency_profiles', 'provider_clinic', 'place'), ('public.emergency_profiles', 'provider_phone', 'phone'),
  ('public.usage_logs', 'caregiver_name', 'name'),
  ('public.family_invitations', 'email', 'email'), ('privacy.guardians', 'guardian_name', 'name');
create trigger naming_columns_by_migration before insert or update or delete or truncate on privacy.naming_columns execute function private.only_by_migration();
alter table privacy.naming_columns enable row level security;
alter table privacy.naming_columns force row level security;
create policy naming_columns_owner_all on privacy.naming_columns to current_user using (true) with check (true);

create function private.granted_children() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(select c.id from public.children c where c.family_id = any (private.granted_families()));
comment on function private.granted_children() is 'Children of the families in the scope of live grants.';
grant execute on function private.granted_children() to nestsync_compliance;

create table privacy.exports (
  id uuid primary key default gen_random_uuid(),
  user_id uuid,
  child_id uuid,
  request text not null references privacy.requests (number),
  language text not null,
  package_sha256 text not null,
  manifest_sha256 text not null,
  bytes bigint not null,
  row_count bigint not null,
  severances bigint not null,
  evidence text not null,
  made_by text not null default session_user references ops.operators (login),
  made_at timestamptz not null default clock_timestamp(),
  constraint exports_subject check (num_nonnulls(user_id, child_id) = 1),
  constraint exports_language check (language in ('en', 'fr')),
  constraint exports_hashes check (package_sha256 ~ '^[0-9a-f]{64}$' and manifest_sha256 ~ '^[0-9a-f]{64}$'),
  constraint exports_counts check (bytes > 0 and row_count >= 0 and severances >= 0)
);
comment on table privacy.exports is 'Every package that was made: for whom, on which request, by whom, and the hashes by which it is known again.';
comment on column privacy.exports.child_id is 'Of a package for a child, which was given to a guardian of record: the one who made the request.';
comment on column privacy.exports.evidence is 'The signed record about it, chain/number.';
comment on column privacy.exports.severances is 'In how many places another person was replaced by an alias.';
create index exports_user_idx on privacy.exports (user_id, made_at desc) where user_id is not null;
create index exports_child_idx on privacy.exports (child_id, made_at desc) where child_id is not null;
create index exports_request_idx on privacy.exports (request);
create index exports_made_by_idx on privacy.exports (made_by);
create trigger exports_append_only before update or delete on privacy.exports for each row execute function private.refuse_delete();
alter table privacy.exports enable row level security;
alter table privacy.exports force row level security;
create policy exports_owner_all on privacy.exports to current_user using (true) with check (true);
create policy exports_compliance_select on privacy.exports for select to nestsync_compliance
  using (user_id = any ((select private.subject_users())::uuid[]) or child_id = any ((select private.granted_children())::uuid[]));
create policy exports_auditor_select on privacy.exports for select to nestsync_auditor using ((select private.session_duty()) is not null);
grant select on privacy.exports to nestsync_compliance, nestsync_auditor;
insert into ops.duty_permissions (duty, resource, command, condition) values
  ('compliance', 'exports', 'select', 'grant'), ('compliance', 'exports', 'insert', 'grant'), ('auditor', 'exports', 'select', 'always');
select audit.attach('privacy.exports', 'access', person => 'user_id');

-- Whose rows ------------------------------------------------------------------------------------------------------------

create function private.why_no_guardian(r privacy.requests) returns text
  language sql stable set search_path = pg_catalog, pg_temp
  return case when r.requester <> 'guardian' or num_nonnulls(r.requester_user, r.requester_name) = 0 then 'no_guardian'
    else (select case when not m.allowed then m.why end
      from private.may_act_for(private.family_of_child(r.child_id), r.child_id, r.requester_user, case when r.requester_user is null then r.requester_name end) m) end;
comment on function private.why_no_guardian(privacy.requests) is 'Why whoever asks is not given the child''s data today, in the words of privacy.may_act_for; null where they are.';

create function privacy.require_package(person uuid, subject_kind text default 'user') returns void
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  family uuid;
  q privacy.requests;
  why text;
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'the package of a person is the business of the duty compliance');
  end if;
  if subject_kind = 'user' then
    if not coalesce(person = any (private.subject_users()), false) then
      perform private.fail('NS002', 'no live access grant of yours is for this person',
        format('nestctl access open --user %s --reason "…" --ticket …', person));
    end if;
    return;
  elsif subject_kind is distinct from 'child' then
    perform private.fail('NS007', 'a package is of an account or of a child');
  end if;
  family := private.family_of_child(person);
  perform private.require_guardians(family);
  -- Not for the asking: somebody who may act for the child has asked, and was seen to be who they are.
  why := 'identity_not_verified';
  for q in
    select r.* from privacy.requests r
    where r.child_id = person and r.kind in ('access', 'portability') and r.state in ('open', 'in_progress') and r.identity_verified_at is not null
  loop
    why := private.why_no_guardian(q);
    if why is null then
      return;
    end if;
  end loop;
  perform private.fail('NS005', format('no guardian of record who may act for the child today has an open request for its data with a verified identity: %s', why),
    format('nestctl guardian list --family %s --child %s', family, person));
end $$;
comment on function privacy.require_package(uuid, text) is
  'Raises unless this session may make the package of an account or of a child: duty compliance, and a live grant for that very person; for a child for its family, and an open request of a guardian whom privacy.may_act_for allows today and whose identity was verified.';

create function private.kin_families(person uuid) returns uuid[]
  language sql stable set search_path = pg_catalog, pg_temp
  return array(
    select m.family_id from public.family_members m
    where m.user_id = person and m.role in ('family_core', 'extended_family') and m.status in ('active', 'suspended')
      and (m.access_expires_at is null or m.access_expires_at > now()));
comment on function private.kin_families(uuid) is
  'Families whose joint rows are this person''s too: those they are kin in now. Whoever left one, or looked after its children for pay, is told of their own rows alone.';

create function private.represented_children(person uuid) returns table (family_id uuid, child_id uuid)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select distinct g.family_id, g.child_id
  from privacy.guardians g cross join private.may_act_for(g.family_id, g.child_id, person, null) m
  where g.user_id = person and m.allowed;
end;
comment on function private.represented_children(uuid) is 'Children whom a person stands for, by the register of guardians: their rows are given to that person as the child''s own.';

create function privacy.request_family(number text) returns uuid
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  child uuid;
begin
  if private.session_duty() is distinct from 'compliance' then
    perform private.fail('NS004', 'requests are handled under the duty compliance');
  end if;
  select r.child_id into child from privacy.requests r where r.number = request_family.number;
  return case when child is not null then private.family_of_child(child) end;
end $$;
comment on function privacy.request_family(text) is 'The family for which whoever answers a request about a child needs a grant; null for other requests.';

create function private.package_families(person uuid, subject_kind text) returns uuid[]
  language sql stable set search_path = pg_catalog, pg_temp
  return case subject_kind when 'child' then array[private.family_of_child(person)] else private.kin_families(person) end;
comment on function private.package_families(uuid, text) is 'Families of which a package tells how much is withheld; an account''s are given their joint rows too, a child''s its own alone.';

create function private.package_children(person uuid, subject_kind text) returns table (family_id uuid, child_id uuid)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select private.family_of_child(person), person where subject_kind = 'child'
  union all
  select r.family_id, r.child_id from private.represented_children(person) r where subject_kind = 'user';
end;
comment on function private.package_children(uuid, text) is 'Children whose rows a package holds: the child that it is of, or those whom the account stands for.';

create function private.package_conditions(table_name text, person uuid, subject_kind text, out account text, out household text, out ever text, out child text, out author text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  families constant text := format('any (%L::uuid[])', private.package_families(person, subject_kind));
  self constant text := format('%L::uuid', person);
begin
  select string_agg(replace(c.condition, '$1', self), ' or ') filter (where p.subject = 'account' and subject_kind = 'user'),
    string_agg(
      case when p.compares <> 'equal' then null
        when p.to_table = 'public.families' or p.table_name = 'public.families' then format('%I = %s', p.columns[1], families)
        when cardinality(p.columns) = 1 then format('%I = any (array(select %I from %s where %s))', p.columns[1], p.to_columns[1], p.to_table,
          (private.package_conditions(p.to_table, person, subject_kind)).household)
        else format('(%s) in (select %s from %s where %s)', (select string_agg(quote_ident(o), ', ') from unnest(p.columns) o),
          (select string_agg(quote_ident(o), ', ') from unnest(p.to_columns) o), p.to_table, (private.package_conditions(p.to_table, person, subject_kind)).household) end, ' or ')
      filter (where p.subject = 'household'),
    string_agg(replace(c.condition, '$1', self), ' or ') filter (where p.subject = 'household' and p.compares = 'equal' and subject_kind = 'user'),
    string_agg((select string_agg(replace(replace(c.condition, '$1', format('%L::uuid', r.family_id)), '$2', format('%L::uuid', r.child_id)), ' or ')
      from private.package_children(person, subject_kind) r), ' or ') filter (where p.subject = 'child'),
    string_agg(replace(c.condition, '$1', self), ' or ') filter (where p.subject = 'author' and subject_kind = 'user')
  into account, household, ever, child, author
  from privacy.paths p, privacy.path_condition(p.table_name, p.path) as c (condition)
  where p.table_name = package_conditions.table_name and p.whose <> 'other' and c.condition is not null;
end $$;
comment on function private.package_conditions(text, uuid, text) is
  'Which rows of a table are a person''s, as SQL: their account''s; their household''s now, and ever; of children whom they stand for; entered by them. Null: no row.';

create function private.package_needs(subject text) returns integer
  language sql immutable set search_path = pg_catalog, pg_temp
  return case subject when 'account' then 1 when 'child' then 4 when 'household' then 7 when 'author' then 7 when 'request' then 5 else 0 end;
comment on function private.package_needs(text) is 'In which of the rights (1 account, 2 household, 4 child, added up) a row must be the person''s for a column about this subject to be given with it.';

create function private.package_columns(table_name text)
  returns table (column_name text, number smallint, whose text, subject text, category text, origin text, exported boolean, withheld text, spelled text, kind text, free boolean, in_key boolean)
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select a.attname::text, a.attnum, n.whose, n.subject, n.category, n.origin,
    -- Nobody but these is who a package is for.
    n.exported and private.package_needs(n.subject) > 0, n.withheld, format_type(a.atttypid, a.atttypmod),
    case when t.typcategory = 'A' then 'array' when b.oid in ('json'::regtype, 'jsonb'::regtype) then 'json' when b.oid = 'boolean'::regtype then 'boolean'
      when b.oid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) then 'integer'
      when b.oid in ('numeric'::regtype, 'real'::regtype, 'double precision'::regtype) then 'number'
      when b.oid in ('timestamptz'::regtype, 'timestamp'::regtype) then 'time' when b.oid = 'date'::regtype then 'date'
      when b.oid = 'interval'::regtype then 'interval' when b.oid = 'uuid'::regtype then 'uuid' else 'text' end,
    -- What somebody typed, as opposed to a word of a vocabulary: nothing else can name another person.
    (b.oid in ('json'::regtype, 'jsonb'::regtype, 'uuid'::regtype) or t.oid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'text[]'::regtype, 'uuid[]'::regtype, 'varchar[]'::regtype))
      and not exists (select from pg_catalog.pg_constraint k
        where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum] and pg_get_constraintdef(k.oid) like '%ANY (ARRAY[%'),
    exists (select from pg_catalog.pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey))
  from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    join pg_catalog.pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
    join lateral (
      select x.* from privacy.column_answers x
      where x.table_name = package_columns.table_name and x.column_name in (a.attname, '*')
      order by x.column_name = '*' limit 1) n on true
  where a.attrelid = to_regclass(package_columns.table_name) and a.attnum > 0 and not a.attisdropped
  order by a.attnum;
end;
comment on function private.package_columns(text) is 'What the data map answers for the columns that a table has, with how their values are written.';

create function private.package_scope(table_name text, person uuid, subject_kind text, out account text, out household text, out child text, out kin text, out ever text, out entered text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  c record := private.package_conditions(table_name, person, subject_kind);
  tells boolean;
begin
  -- Of household rows by which the person would be told nothing but that they are the household's, none is given.
  tells := exists (select from privacy.column_answers a where a.table_name = package_scope.table_name and a.exported and a.subject = 'household'
    and not exists (select from privacy.paths p where p.table_name = a.table_name and p.subject = 'household' and a.column_name = any (p.columns)));
  account := coalesce(c.account, 'false');
  household := case when tells and subject_kind = 'user' then coalesce(c.household, 'false') else 'false' end;
  child := coalesce(c.child, 'false');
  kin := coalesce(c.household, 'false');
  ever := coalesce(case subject_kind when 'child' then c.household else c.ever end, 'false');
  entered := coalesce(c.author, 'false');
end $$;
comment on function private.package_scope(text, uuid, text) is
  'Conditions on the rows of a table, of which one that is null does not hold. account, household, child: those that a package holds, and in which right; kin, ever: a household''s of the person''s, now and ever; entered: by them.';

-- What is asked from outside ------------------------------------------------------------------------------------------------

create function privacy.package_tables(person uuid, subject_kind text default 'user')
  returns table (table_name text, columns jsonb, given bigint, of_children bigint, of_others bigint, entered bigint, unread text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  s record;
  of_child boolean;
begin
  perform privacy.require_package(person, subject_kind);
  for package_tables.table_name in
    select distinct a.table_name from privacy.column_answers a
    where a.exported and to_regclass(a.table_name) is not null and private.package_needs(a.subject) > 0
    order by 1
  loop
    select jsonb_agg(to_jsonb(x) - 'number' order by x.number), bool_or(x.exported and x.subject = 'child')
    into columns, of_child from private.package_columns(package_tables.table_name) x;
    select 0, 0, 0, 0 into given, of_children, of_others, entered;
    -- Row security of a platform would hide rows without a word.
    unread := case when not has_table_privilege(package_tables.table_name, 'select') then 'the owner of the schema may not read it'
      when package_tables.table_name ~ '^(auth|storage)\.' and row_security_active(package_tables.table_name) then 'its row security hides rows from the owner of the schema' end;
    -- A materialized view that was never refreshed holds nobody.
    if unread is null and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(package_tables.table_name)) then
      s := private.package_scope(package_tables.table_name, person, subject_kind);
      execute format(
        'select count(*) filter (where given), count(*) filter (where not given and kin and %L), count(*) filter (where not given and ever and not (kin and %1$L)),
           count(*) filter (where not given and entered and not ever)
         from (select (%s or %s or %s) is true as given, (%s) is true as kin, (%s) is true as ever, (%s) is true as entered from %s
           where %2$s or %3$s or %4$s or %5$s or %6$s or %7$s) x',
        of_child, s.account, s.household, s.child, s.kin, s.ever, s.entered, package_tables.table_name)
      into given, of_children, of_others, entered;
    end if;
    return next;
  end loop;
end $$;
comment on function privacy.package_tables(uuid, text) is
  'The tables that the package of a person draws on: their columns, and how many rows are given; withheld since they are a child''s whom the person does not stand for, or others''; entered by the person in rows that are not theirs. unread: why a table could not be read.';

-- One at a time, as rows are wanted: what a function returns is put together whole before its first row leaves the server.
create function privacy.open_package_rows(person uuid, table_name text, columns text[], subject_kind text default 'user') returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  -- All of its rows are wanted in the end, not the first of them soon.
  set cursor_tuple_fraction = 1 as $$
declare
  rows_of refcursor := 'nestctl package';
  s record;
  values_of text;
  found integer;
  ordered text;
begin
  perform privacy.require_package(person, subject_kind);
  select string_agg(format('case when "nestctl given" & %s > 0 then %s end', private.package_needs(x.subject),
      format(case when x.kind = 'array' then 'to_json(%I)::text' when x.kind = 'time' then 'to_json(%I)' when x.spelled = any ('{uuid,smallint,integer,bigint}') then '%I' else '%I::text' end,
        x.column_name)),
      ', ' order by array_position(columns, x.column_name)), count(*)
  into values_of, found from private.package_columns(table_name) x where x.exported and x.column_name = any (columns);
  if found = 0 or found <> cardinality(columns) then
    perform private.fail('NS007', format('the data map does not export these columns of %s', table_name));
  end if;
  select string_agg(quote_ident(a.attname), ', ' order by k.at) into ordered
  from pg_catalog.pg_index i
    cross join unnest(i.indkey) with ordinality k (attnum, at)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
  where i.indrelid = to_regclass(table_name) and i.indisprimary;
  s := private.package_scope(table_name, person, subject_kind);
  if exists (select from pg_catalog.pg_cursors c where c.name = rows_of::text) then
    close rows_of;
  end if;
  open rows_of no scroll for execute format(
    'select "nestctl given", %s from (
       select x.*, ((%s) is true)::integer + 2 * ((%s) is true)::integer + 4 * ((%s) is true)::integer as "nestctl given" from %s x where %2$s or %3$s or %4$s%6$s) x',
    values_of, s.account, s.household, s.child, table_name, coalesce(' order by ' || ordered, ''));
end $$;
comment on function privacy.open_package_rows(uuid, text, text[], text) is
  'Opens the rows of a table that the package of a person holds, for privacy.next_package_rows, until the transaction ends or others are opened: an integer, the rights in which each is theirs (1 account, 2 household, 4 child, added up), and the columns, null where NULL or not given: points in time as json, ids and whole numbers as they are, all else as text. In the order of the key.';

-- In the rights of whoever calls: a cursor of theirs by this name would be run in those of the owner else.
create function privacy.next_package_rows(wanted integer) returns setof record
  language plpgsql set search_path = pg_catalog, pg_temp
  set timezone = 'UTC' set datestyle = 'ISO' set intervalstyle = 'iso_8601' set extra_float_digits = 1 set bytea_output = 'hex' as $$
begin
  return query execute format('fetch forward %s from "nestctl package"', wanted);
end $$;
comment on function privacy.next_package_rows(integer) is 'The next rows, so many at most, of those that privacy.open_package_rows opened in this transaction; none where all have been given.';

create function privacy.package_people(person uuid, subject_kind text default 'user') returns table (kind text, who text, standing text, since timestamptz, spelled text, names text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- The id of a child is its family's to choose, and could be that of an account.
  own constant uuid := case subject_kind when 'user' then person end;
  families uuid[];
  people uuid[];
  found_ids uuid[];
  asked uuid[];
  c record;
  s record;
begin
  perform privacy.require_package(person, subject_kind);
  select coalesce(array_agg(distinct f), '{}') into families from (
    select m.family_id from public.family_members m where m.user_id = own
    union select r.family_id from private.package_children(person, subject_kind) r) x (f);
  -- Whoever stands for a child of theirs need be no member.
  select coalesce(array_agg(distinct m.user_id), '{}') into people from (
    select x.user_id from public.family_members x where x.family_id = any (families)
    union select g.user_id from privacy.guardians g where g.family_id = any (families) and g.user_id is not null) m;
  -- Whoever is named by id in what is given, members or not.
  for c in
    select a.table_name, a.column_name from privacy.column_answers a
      join pg_catalog.pg_attribute t on t.attrelid = to_regclass(a.table_name) and t.attname = a.column_name and t.atttypid = 'uuid'::regtype
    where a.exported and a.subject = 'author'
  loop
    s := private.package_scope(c.table_name, person, subject_kind);
    execute format('select coalesce(array_agg(distinct %I), ''{}'') from %s where (%s or %s or %s) and %1$I is not null', c.column_name, c.table_name, s.account, s.household, s.child)
    into found_ids;
    people := people || found_ids;
  end loop;
  -- Whoever asked in their place: a guardian, or somebody who represents them and need have no account.
  select coalesce(array_agg(r.id), '{}') into asked from privacy.requests r
  where r.user_id = own or r.child_id in (select x.child_id from private.package_children(person, package_people.subject_kind) x);
  select people || coalesce(array_agg(distinct r.requester_user), '{}') into people from privacy.requests r where r.id = any (asked) and r.requester_user is not null;
  return query select 'representative', lower(r.requester_name), null, r.received_at, v.spelled, v.names
    from privacy.requests r
      cross join lateral (values (r.requester_name, 'name'), (r.requester_contact, case when r.requester_contact like '%@%' then 'email' else 'phone' end)) v (spelled, names)
    where r.id = any (asked) and r.requester_name is not null and v.spelled is not null;
  return query select distinct 'member', u.p::text, null, null::timestamptz, null, null from unnest(people) u (p) where u.p is distinct from own;
  for c in
    select n.table_name, n.column_name, n.names, a.subject
    from privacy.naming_columns n join privacy.column_answers a using (table_name, column_name)
    where to_regclass(n.table_name) is not null
  loop
    if c.table_name = 'public.users' then
      return query execute format(
        'select case when u.id = $1 then ''self'' else ''member'' end, u.id::text,
           (select min(array_position(''{family_core,extended_family,professional,institutional}''::text[], m.role))::text from public.family_members m where m.user_id = u.id and m.family_id = any ($2)),
           (select min(m.created_at) from public.family_members m where m.user_id = u.id and m.family_id = any ($2)), u.%I::text, $3
         from public.users u where u.id = $1 or u.id = any ($4)', c.column_name) using own, families, c.names, people;
    else
      return query execute format(
        'select distinct %s, %s, null, null::timestamptz, x.%I::text, $2 from %s x where x.family_id = any ($3) and x.%3$I is not null%5$s',
        case when c.subject = 'child' and subject_kind = 'child' then format('case when x.id = %L then ''self'' else $1 end', person) else '$1' end,
        case when c.subject in ('caregiver', 'invitee') then format('lower(x.%I)', c.column_name) else 'x.family_id || ''/'' || x.id' end, c.column_name, c.table_name,
        case when c.subject = 'child' and subject_kind = 'user' then format(' and not exists (select from private.represented_children(%L::uuid) r where r.family_id = x.family_id and r.child_id = x.id)', person) else '' end)
      using c.subject, c.names, families;
    end if;
  end loop;
end $$;
comment on function privacy.package_people(uuid, text) is
  'Whoever else the package of a person could name, and that person (self): what they are, by which key, in which standing (1 core, 2 extended, 3 professional, 4 institutional), how they are spelled, and what that spelling is.';

create function privacy.require_export_purpose() returns void
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select private.require_purpose();
end;
comment on function privacy.require_export_purpose() is 'Fails without the reason and the ticket that privacy.record_export will want, before a package is made for nothing.';

create function private.require_answerable(person uuid, request text, subject_kind text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  q privacy.requests;
  why text;
begin
  perform privacy.require_package(person, subject_kind), private.require_purpose();
  -- Held until the record stands, so that nobody ends the request meanwhile.
  select r.* into q from privacy.requests r where r.number = require_answerable.request for share;
  if not found then
    perform private.fail('NS006', format('there is no request %s', request), 'nestctl request list --all');
  end if;
  if (case subject_kind when 'child' then q.child_id else q.user_id end) is distinct from person or q.kind not in ('access', 'portability') or q.state not in ('open', 'in_progress') then
    perform private.fail('NS005', format('request %s is none that a package of this person answers', request), format('nestctl request show %s', request));
  end if;
  if q.identity_verified_at is null then
    perform private.fail('NS005', 'nothing is handed out before the identity is verified', format('nestctl request verify-identity %s', request));
  end if;
  if subject_kind = 'child' then
    -- Whoever changes who stands for a child holds its row.
    perform from public.children c where c.id = person for share;
    why := private.why_no_guardian(q);
    if why is not null then
      perform private.fail('NS005', format('whoever asks may not act for the child: %s', why),
        format('nestctl guardian list --family %s --child %s', private.family_of_child(person), person));
    end if;
  end if;
end $$;
comment on function private.require_answerable(uuid, text, text) is
  'Raises unless a package of a person may answer the request now, and holds that until the transaction ends.';

create function privacy.record_export(person uuid, request text, language text, package_sha256 text, manifest_sha256 text, bytes bigint, row_count bigint, severances bigint, evidence text,
  subject_kind text default 'user') returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_id uuid;
begin
  perform private.require_answerable(person, request, subject_kind);
  insert into privacy.exports (user_id, child_id, request, language, package_sha256, manifest_sha256, bytes, row_count, severances, evidence)
  values (case subject_kind when 'user' then person end, case subject_kind when 'child' then person end, request, language, package_sha256, manifest_sha256, bytes, row_count,
    severances, evidence)
  returning id into v_id;
  return v_id;
end $$;
comment on function privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text) is
  'Records a package before it is handed out. Needs the duty compliance, a live grant for the person, reason and ticket, and an open request of the person for it whose identity was verified; for a child, one of a guardian of record who may act for it today.';

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.request_family(text), privacy.require_export_purpose(), privacy.package_tables(uuid, text), privacy.open_package_rows(uuid, text, text[], text), privacy.next_package_rows(integer), privacy.package_people(uuid, text),
  privacy.record_export(uuid, text, text, text, text, bigint, bigint, bigint, text, text) to nestsync_compliance;

-- What the data map says of this ----------------------------------------------------------------------------------------------

select privacy.declare_operational('privacy.naming_columns', 'table_name column_name names'),
  privacy.declare_path('privacy.naming_columns', 'answer', 'link', null, null, 'table_name column_name', 'privacy.column_answers', 'table_name column_name'),
  privacy.declare_path('privacy.exports', 'person', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id'),
  privacy.declare_path('privacy.exports', 'child', 'child', 'child', 'subject', 'child_id', 'public.children', 'id'),
  privacy.declare_path('privacy.exports', 'request', 'direct', 'request', 'subject', 'request', 'privacy.requests', 'number'),
  privacy.declare_path('privacy.exports', 'by_made_by', 'direct', 'operator', 'subject', 'made_by', 'ops.operators', 'login'),
  privacy.declare('privacy.exports', 'user_id', 'subject', 'account', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.exports', 'child_id', 'subject', 'child', 'identifier', 'assigned', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.exports', 'id request language made_at', 'subject', 'request', 'access_record', 'observed', 'rights', 'audit', 'keep', 'accountability'),
  privacy.declare('privacy.exports', 'made_by', 'other', 'operator', 'staff', 'observed', 'accountability', 'audit', 'keep', 'accountability'),
  privacy.declare_operational('privacy.exports', 'package_sha256 manifest_sha256 bytes row_count severances evidence', 'rights', 'audit');
