-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes
-- seeds: privacy.categories, privacy.purposes, privacy.retentions, privacy.obligations, privacy.subjects, privacy.paths, privacy.column_answers, ops.duty_permissions

-- The words that answers are made of -------------------------------------------------------------------------------

create table privacy.categories (
  category text primary key,
  about text not null,
  sensitive boolean not null default false
);
comment on table privacy.categories is 'Kinds of personal information. Sensitive ones need express consent (PIPEDA principle 4.3.4; Quebec P-39.1, s. 12).';

create table privacy.purposes (
  purpose text primary key,
  about text not null,
  law text not null
);
comment on table privacy.purposes is 'What columns are kept for, as persons are told it, and the law that it rests on.';

create table privacy.retentions (
  retention text primary key,
  keeps interval,
  begins text not null,
  law text not null,
  proposed boolean not null default false
);
comment on table privacy.retentions is 'How long columns are kept.';
comment on column privacy.retentions.keeps is 'Counted from begins; null: no longer than what begins names lasts.';
comment on column privacy.retentions.proposed is 'A proposal of ours, which nobody who knows the law has read yet.';

create table privacy.obligations (
  obligation text primary key,
  about text not null,
  law text not null,
  proposed boolean not null default false
);
comment on table privacy.obligations is 'Why a column outlives the erasure of the person it is about.';

create table privacy.subjects (
  subject text primary key,
  about text not null,
  root_table text not null,
  root_columns text[] not null
);
comment on table privacy.subjects is 'Whom columns are about. root_table and root_columns name the one person or household; every path ends there.';

-- Whose rows are whose ---------------------------------------------------------------------------------------------

create table privacy.paths (
  table_name text not null,
  path text not null,
  via text not null,
  subject text references privacy.subjects (subject),
  whose text,
  columns text[] not null,
  to_table text not null,
  to_columns text[] not null,
  compares text not null default 'equal',
  primary key (table_name, path),
  constraint paths_via check (via in ('direct', 'membership', 'child', 'guardianship', 'email', 'author', 'payload', 'link')),
  constraint paths_whose check (whose in ('subject', 'joint', 'other')),
  constraint paths_compares check (compares in ('equal', 'lower', 'contains', 'sha256')),
  constraint paths_link check ((via = 'link') = (subject is null) and (via = 'link') = (whose is null)),
  constraint paths_columns check (cardinality(columns) = cardinality(to_columns) and cardinality(columns) > 0)
);
create index paths_subject_idx on privacy.paths (subject);
comment on table privacy.paths is 'How rows are reached from a person, one hop each: columns of the table against columns of to_table, and on from there along the path of the same subject. A link reaches nobody: it is a foreign key between rows that other paths reach.';
comment on column privacy.paths.whose is 'What rows so reached are to the person: subject, theirs alone; joint, theirs and others''; other, another person''s in which they are named.';
comment on column privacy.paths.compares is 'equal; lower: as text, case aside; contains: to_columns is somewhere in a text, JSON or array; sha256: it is the hash of the 16 bytes of a UUID.';

-- The map ----------------------------------------------------------------------------------------------------------

create table privacy.column_answers (
  table_name text not null,
  column_name text not null,
  whose text not null,
  subject text references privacy.subjects (subject),
  category text references privacy.categories (category),
  origin text,
  purpose text not null references privacy.purposes (purpose),
  retention text not null references privacy.retentions (retention),
  erasure text not null,
  anonymized_as text,
  obligation text references privacy.obligations (obligation),
  exported boolean not null,
  withheld text,
  primary key (table_name, column_name),
  constraint column_answers_whose check (whose in ('subject', 'joint', 'other', 'operational')),
  constraint column_answers_origin check (origin in ('provided', 'reported', 'observed', 'inferred', 'assigned')),
  constraint column_answers_erasure check (erasure in ('delete', 'anonymize', 'keep', 'sever', 'none')),
  constraint column_answers_personal check (
    num_nulls(subject, category, origin) = case whose when 'operational' then 3 else 0 end
    and (whose = 'operational') = (erasure = 'none')),
  constraint column_answers_anonymized check (anonymized_as is null or erasure = 'anonymize'),
  constraint column_answers_obligation check ((erasure = 'keep') = (obligation is not null)),
  constraint column_answers_exported check (not exported or whose in ('subject', 'joint')),
  constraint column_answers_withheld check ((whose in ('subject', 'joint') and not exported) = (withheld is not null)),
  -- Columns of the platform's tables are its own to add.
  constraint column_answers_all check (column_name <> '*' or table_name ~ '^(auth|storage)\.')
);
create index column_answers_subject_idx on privacy.column_answers (subject);
create index column_answers_category_idx on privacy.column_answers (category);
create index column_answers_purpose_idx on privacy.column_answers (purpose);
create index column_answers_retention_idx on privacy.column_answers (retention);
create index column_answers_obligation_idx on privacy.column_answers (obligation) where obligation is not null;
comment on table privacy.column_answers is 'The data map: what every column of every table answers. Export and erasure are driven by it, and `nestctl datamap check` finds the column that does not answer.';
comment on column privacy.column_answers.column_name is '"*" stands for all other columns of a table that is the platform''s.';
comment on column privacy.column_answers.whose is 'subject: that person''s alone; joint: a household''s; other: somebody''s who is only named here; operational: nobody''s.';
comment on column privacy.column_answers.origin is 'provided by the person (for a child: by the household); reported by somebody else; observed; inferred; assigned by us. Portability covers what was provided (Quebec P-39.1, s. 27).';
comment on column privacy.column_answers.erasure is 'What erasing the subject does: delete, the row goes; anonymize, the row stays without it; keep, under the obligation; sever, the row stays and names nobody; none, it holds nobody.';
comment on column privacy.column_answers.anonymized_as is 'SQL expression of what stands there afterwards; null: NULL.';
comment on column privacy.column_answers.withheld is 'Why the subject is not given it.';

-- Changes only by migration ----------------------------------------------------------------------------------------

create function private.only_by_migration() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from pg_catalog.pg_locks l
    where l.locktype = 'advisory' and l.granted and l.pid = pg_backend_pid() and l.classid = 1852142452 and l.objid = 1 and l.objsubid = 2
      and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
  then
    perform private.fail('NS004', format('%I.%I changes only by migration, with the schema that it describes', tg_table_schema, tg_table_name),
      'Write a migration that calls privacy.declare, and run: nestctl db migrate');
  end if;
  return null;
end $$;
comment on function private.only_by_migration() is 'Refuses whoever does not hold the lock of the migrator, pg_advisory_lock(1852142452, 1).';

do $$
declare
  t text;
begin
  foreach t in array array['categories', 'purposes', 'retentions', 'obligations', 'subjects', 'paths', 'column_answers'] loop
    execute format('create trigger %I before insert or update or delete or truncate on privacy.%I execute function private.only_by_migration()', t || '_by_migration', t);
    execute format('alter table privacy.%I enable row level security', t);
    execute format('alter table privacy.%I force row level security', t);
    execute format('create policy %I on privacy.%I to current_user using (true) with check (true)', t || '_owner_all', t);
    execute format('create policy %I on privacy.%I for select to nestsync_compliance, nestsync_sre, nestsync_admin using ((select private.session_duty()) is not null)', t || '_staff_select', t);
    execute format('grant select on privacy.%I to nestsync_compliance, nestsync_sre, nestsync_admin', t);
  end loop;
end $$;
grant usage on schema privacy to nestsync_compliance, nestsync_sre, nestsync_admin;
insert into ops.duty_permissions (duty, resource, command, condition)
select duty, 'data map', 'select', 'always' from unnest(array['compliance', 'sre', 'admin']) duty;

create function privacy.refuse_unknown_columns(table_name text, columns text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  missing text;
begin
  if table_name ~ '^(auth|storage)\.' then
    return;
  end if;
  select string_agg(c, ', ') into missing
  from unnest(columns) c
  where not exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass(table_name) and a.attname = c and a.attnum > 0 and not a.attisdropped);
  if missing is not null then
    perform private.fail('NS007', format('%s has no column %s to answer for', table_name, missing));
  end if;
end $$;
comment on function privacy.refuse_unknown_columns(text, text[]) is 'Raises where a table lacks one of the columns; the platform''s tables may be absent altogether.';

create function privacy.declare(table_name text, columns text, whose text, subject text, category text, origin text, purpose text, retention text, erasure text,
  obligation text default null, anonymized_as text default null, withheld text default null) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  names text[] := regexp_split_to_array(btrim(columns), '\s+');
  name text;
  spelled text;
begin
  perform privacy.refuse_unknown_columns(table_name, names);
  foreach name in array names loop
    if anonymized_as is not null and to_regclass(table_name) is not null then
      select format_type(a.atttypid, a.atttypmod) into spelled
      from pg_catalog.pg_attribute a where a.attrelid = to_regclass(table_name) and a.attname = name;
      execute format('select cast((%s) as %s)', anonymized_as, spelled);
    end if;
    insert into privacy.column_answers values (table_name, name, whose, subject, category, origin, purpose, retention, erasure, anonymized_as, obligation,
      whose in ('subject', 'joint') and withheld is null, withheld)
    on conflict on constraint column_answers_pkey do update set
      whose = excluded.whose, subject = excluded.subject, category = excluded.category, origin = excluded.origin, purpose = excluded.purpose,
      retention = excluded.retention, erasure = excluded.erasure, anonymized_as = excluded.anonymized_as, obligation = excluded.obligation,
      exported = excluded.exported, withheld = excluded.withheld;
  end loop;
end $$;
comment on function privacy.declare(text, text, text, text, text, text, text, text, text, text, text, text) is
  'For migrations: what columns (names with blanks between) answer. Declared again, they answer anew. Raises where a column is not there or anonymized_as is no value of it.';

create function privacy.declare_operational(table_name text, columns text, purpose text default 'operation', retention text default 'operation') returns void
  language sql set search_path = pg_catalog, pg_temp
begin atomic
  select privacy.declare(table_name, columns, 'operational', null, null, null, purpose, retention, 'none');
end;
comment on function privacy.declare_operational(text, text, text, text) is 'For migrations: columns that hold nobody.';

create function privacy.declare_path(table_name text, path text, via text, subject text, whose text, columns text, to_table text, to_columns text,
  compares text default 'equal') returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  ours text[] := regexp_split_to_array(btrim(columns), '\s+');
  theirs text[] := regexp_split_to_array(btrim(to_columns), '\s+');
begin
  perform privacy.refuse_unknown_columns(table_name, ours), privacy.refuse_unknown_columns(to_table, theirs);
  insert into privacy.paths as p (table_name, path, via, subject, whose, columns, to_table, to_columns, compares)
  values (table_name, path, via, subject, whose, ours, to_table, theirs, compares)
  on conflict on constraint paths_pkey do update set via = excluded.via, subject = excluded.subject, whose = excluded.whose, columns = excluded.columns,
    to_table = excluded.to_table, to_columns = excluded.to_columns, compares = excluded.compares;
end $$;
comment on function privacy.declare_path(text, text, text, text, text, text, text, text, text) is
  'For migrations: how rows of a table are reached from a subject, or with via link a foreign key that reaches nobody.';

create function privacy.undeclare(table_name text, columns text default null) returns void
  language sql set search_path = pg_catalog, pg_temp
begin atomic
  delete from privacy.column_answers a
  where a.table_name = $1 and ($2 is null or a.column_name = any (regexp_split_to_array(btrim($2), '\s+')));
  delete from privacy.paths p
  where p.table_name = $1 and ($2 is null or p.columns && regexp_split_to_array(btrim($2), '\s+'));
end;
comment on function privacy.undeclare(text, text) is 'For migrations that drop columns, or without columns a table: takes back what they answered and the paths along them.';

create function privacy.path_condition(table_name text, path text) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  p privacy.paths;
  next_path text;
  ours text;
  theirs text;
  ends_here boolean;
begin
  select x.* into strict p from privacy.paths x where x.table_name = path_condition.table_name and x.path = path_condition.path;
  select s.root_table = p.to_table and s.root_columns = p.to_columns into ends_here from privacy.subjects s where s.subject = p.subject;
  if ends_here is null then
    return null;
  end if;
  select string_agg(case p.compares when 'lower' then format('lower(%I::text)', c) when 'contains' then format('%I::text', c) else format('%I', c) end, ', ' order by at)
    into ours from unnest(p.columns) with ordinality u (c, at);
  if ends_here then
    select string_agg(case p.compares when 'equal' then format('$%s', at) when 'lower' then format('lower($%s::text)', at) when 'sha256' then format('sha256(uuid_send($%s))', at) else format('$%s::text', at) end, ', ' order by at)
      into theirs from unnest(p.to_columns) with ordinality u (c, at);
    return case p.compares when 'contains' then format('strpos(%s, %s) > 0', ours, theirs) else format('(%s) = (%s)', ours, theirs) end;
  end if;
  -- On from there as the same subject, or as the person that both subjects are.
  select n.path into next_path
  from privacy.paths n join privacy.subjects s on s.subject = n.subject join privacy.subjects mine on mine.subject = p.subject
  where n.table_name = p.to_table and (n.table_name, n.path) <> (p.table_name, p.path)
    and (n.subject = p.subject or n.via = 'direct' and (s.root_table, s.root_columns) = (mine.root_table, mine.root_columns))
  order by n.subject = p.subject desc, n.path limit 1;
  if next_path is null then
    return null;
  end if;
  select string_agg(case p.compares when 'equal' then format('%I', c) when 'lower' then format('lower(%I::text)', c) when 'sha256' then format('sha256(uuid_send(%I))', c) else format('%I::text as sought', c) end, ', ' order by at)
    into theirs from unnest(p.to_columns) with ordinality u (c, at);
  theirs := format('select %s from %s where %s', theirs, p.to_table, privacy.path_condition(p.to_table, next_path));
  -- An index can look for what is in an array, and not for what is in a subquery within an OR.
  return case when p.compares = 'contains' then format('exists (select from (%s) found where strpos(%s, found.sought) > 0)', theirs, ours)
    when cardinality(p.columns) = 1 then format('%s = any (array(%s))', ours, theirs)
    else format('(%s) in (%s)', ours, theirs) end;
end $$;
comment on function privacy.path_condition(text, text) is
  'What a path says as an SQL condition on the table; $1 and on stand for the root columns of its subject. Null for a link, and where the path leads nowhere.';

-- Words ------------------------------------------------------------------------------------------------------------

insert into privacy.categories (category, about, sensitive) values
  ('identifier', 'keys that name a person, a child, a family or a row of theirs', false),
  ('identity', 'names, dates of birth, gender', false),
  ('contact', 'addresses, telephone numbers, province and postal code', false),
  ('credential', 'what lets somebody in, or a message reach a device', true),
  ('account', 'the state of an account', false),
  ('preference', 'settings that a person chose', false),
  ('consent', 'what was agreed to or asked for, when and how', false),
  ('membership', 'who belongs to a family, and what they may do in it', false),
  ('family', 'a household: its name, its place, its settings', false),
  ('care', 'what was done for a child, and when', true),
  ('health', 'health and body of a child', true),
  ('product', 'what a household buys, keeps and uses', false),
  ('payment', 'plans, amounts, taxes and means of payment', true),
  ('communication', 'messages to a person, and what became of them', false),
  ('device', 'network addresses and programs', false),
  ('usage', 'what was done in the application, and figures made of it', false),
  ('authorship', 'who entered, invited or accepted', false),
  ('access_record', 'who looked at or changed what, under which duty and why', false),
  ('staff', 'operators of this console', false);

insert into privacy.purposes (purpose, about, law) values
  ('account', 'to open an account and let its holder in', 'PIPEDA principles 4.2 and 4.3; P-39.1 ss. 4 and 5'),
  ('family', 'to share the care of children between the members of a family', 'PIPEDA principles 4.2 and 4.3; P-39.1 ss. 4 and 5'),
  ('care', 'to plan diapers and clothing of a child and keep its log', 'PIPEDA principles 4.2 and 4.3; P-39.1 s. 4.1: under 14 with the consent of a holder of parental authority'),
  ('emergency', 'to reach somebody and tell carers what matters in an emergency', 'PIPEDA principle 4.3.4; P-39.1 s. 12: sensitive, express consent'),
  ('supplies', 'to know what is in stock and when to buy', 'PIPEDA principles 4.2 and 4.4; P-39.1 ss. 4 and 5'),
  ('notification', 'to send the messages that a person asked for', 'PIPEDA principle 4.3; P-39.1 ss. 4 and 12'),
  ('billing', 'to charge for a subscription and account for taxes', 'PIPEDA principles 4.2 and 4.4; P-39.1 s. 5'),
  ('consent', 'to prove what was consented to, and honour a withdrawal', 'PIPEDA principles 4.3 and 4.3.8; P-39.1 s. 14'),
  ('analytics', 'to improve the application, with consent', 'PIPEDA principle 4.3; P-39.1 s. 12'),
  ('security', 'to keep others out', 'PIPEDA principle 4.7; P-39.1 s. 10'),
  ('accountability', 'to answer who saw or changed what, and why', 'PIPEDA principles 4.1 and 4.9.1; P-39.1 s. 3.2'),
  ('rights', 'to answer requests of persons, and prove how', 'PIPEDA s. 8 and principle 4.9; P-39.1 ss. 27 and 32'),
  ('operation', 'to run the database; about nobody', 'none: no personal information');

insert into privacy.retentions (retention, keeps, begins, law, proposed) values
  ('account', '30 days', 'a confirmed deletion of the account, which can be cancelled until then', 'PIPEDA principle 4.5.3; P-39.1 s. 23', false),
  ('family', null, 'the life of the family, or of the child in it', 'PIPEDA principle 4.5.3; P-39.1 s. 23', false),
  ('invitation', '90 days', 'the end of the invitation', 'PIPEDA principle 4.5.3; P-39.1 s. 23', true),
  ('notification', '1 year', 'the sending', 'PIPEDA principle 4.5.3; P-39.1 s. 23', true),
  ('analytics', '2 years', 'the event', 'PIPEDA principle 4.5.3; P-39.1 s. 23', true),
  ('billing', '7 years', 'the end of the subscription', 'Income Tax Act s. 230(4); Excise Tax Act s. 286(3)', false),
  ('consent', '7 years', 'the end of the consent', 'PIPEDA principle 4.3; P-39.1 s. 14', false),
  ('audit', '7 years', 'the event; of mere access 3 years, of sign-ins 1 year', 'PIPEDA principles 4.1 and 4.5.2', false),
  ('access_record', '3 years', 'the access', 'PIPEDA principles 4.1 and 4.5.2', true),
  ('staff', '7 years', 'the end of the last duty', 'PIPEDA principle 4.1', true),
  ('operation', null, 'the life of the system', 'none: no personal information', false);

insert into privacy.obligations (obligation, about, law, proposed) values
  ('tax_records', 'books and records are kept six years after the last tax year they are about; the product promises seven', 'Income Tax Act s. 230(4); Excise Tax Act s. 286(3)', false),
  ('consent_evidence', 'whoever relies on a consent must be able to show it', 'PIPEDA principle 4.3; P-39.1 s. 14', false),
  ('accountability', 'an organization answers for what was done with what it holds', 'PIPEDA principles 4.1 and 4.9.1; P-39.1 s. 3.2', true);

insert into privacy.subjects (subject, about, root_table, root_columns) values
  ('account', 'a person with an account', 'public.users', '{id}'),
  ('household', 'the members of a family together', 'public.users', '{id}'),
  ('author', 'an account that entered, invited or accepted, maybe in a family of others', 'public.users', '{id}'),
  ('child', 'a child', 'public.children', '{family_id,id}'),
  ('contact', 'an emergency contact, mostly without an account', 'public.emergency_profiles', '{family_id,id}'),
  ('provider', 'a health care provider of a child', 'public.emergency_profiles', '{family_id,id}'),
  ('caregiver', 'whoever is named as having cared for a child', 'public.usage_logs', '{caregiver_name}'),
  ('invitee', 'whoever was invited by e-mail, with or without an account', 'public.family_invitations', '{email}'),
  ('operator', 'a person who works through this console', 'ops.operators', '{login}');

-- People and families ----------------------------------------------------------------------------------------------

do $$
declare
  -- What stands in the place of free text.
  erased constant text := '''erased on request''';
  t text;
begin
  perform privacy.declare_path('public.users', 'self', 'direct', 'account', 'subject', 'id', 'public.users', 'id');
  perform privacy.declare('public.users', 'id', 'subject', 'account', 'identifier', 'assigned', 'account', 'account', 'keep', 'consent_evidence');
  perform privacy.declare('public.users', 'email', 'subject', 'account', 'contact', 'provided', 'account', 'account', 'anonymize',
    anonymized_as => '''erased-'' || gen_random_uuid() || ''@erased.invalid''');
  perform privacy.declare('public.users', 'first_name last_name display_name', 'subject', 'account', 'identity', 'provided', 'account', 'account', 'anonymize');
  perform privacy.declare('public.users', 'phone_number province postal_code', 'subject', 'account', 'contact', 'provided', 'account', 'account', 'anonymize');
  perform privacy.declare('public.users', 'status', 'subject', 'account', 'account', 'observed', 'account', 'account', 'anonymize', anonymized_as => '''pending_deletion''');
  perform privacy.declare('public.users', 'email_verified_at phone_verified_at', 'subject', 'account', 'account', 'observed', 'account', 'account', 'anonymize');
  perform privacy.declare('public.users', 'last_login_at locked_until', 'subject', 'account', 'usage', 'observed', 'security', 'account', 'anonymize');
  perform privacy.declare('public.users', 'last_login_ip', 'subject', 'account', 'device', 'observed', 'security', 'account', 'anonymize');
  perform privacy.declare('public.users', 'failed_login_attempts', 'subject', 'account', 'usage', 'observed', 'security', 'account', 'anonymize', anonymized_as => '0');
  perform privacy.declare('public.users', 'privacy_policy_accepted_at terms_of_service_accepted_at', 'subject', 'account', 'consent', 'provided', 'consent', 'consent', 'keep', 'consent_evidence');
  perform privacy.declare('public.users', 'marketing_consent analytics_consent data_sharing_consent', 'subject', 'account', 'consent', 'provided', 'consent', 'account', 'anonymize', anonymized_as => 'false');
  perform privacy.declare('public.users', 'timezone', 'subject', 'account', 'preference', 'provided', 'account', 'account', 'anonymize', anonymized_as => '''America/Toronto''');
  perform privacy.declare('public.users', 'language', 'subject', 'account', 'preference', 'provided', 'account', 'account', 'anonymize', anonymized_as => '''en''');
  perform privacy.declare_operational('public.users', 'currency');
  perform privacy.declare('public.users', 'data_export_requested_at data_deletion_requested_at', 'subject', 'account', 'consent', 'provided', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('public.users', 'retention_date', 'subject', 'account', 'account', 'assigned', 'rights', 'audit', 'keep', 'accountability');
  perform privacy.declare('public.users', 'retention_reason', 'subject', 'account', 'account', 'assigned', 'rights', 'account', 'anonymize');
  perform privacy.declare('public.users', 'created_at updated_at deleted_at', 'subject', 'account', 'account', 'observed', 'account', 'consent', 'keep', 'consent_evidence');

  perform privacy.declare_path('public.families', 'members', 'membership', 'household', 'joint', 'id', 'public.family_members', 'family_id');
  perform privacy.declare('public.families', 'id', 'joint', 'household', 'identifier', 'assigned', 'family', 'family', 'delete');
  perform privacy.declare('public.families', 'name family_type description timezone province settings', 'joint', 'household', 'family', 'provided', 'family', 'family', 'delete');
  perform privacy.declare('public.families', 'created_at updated_at archived_at', 'joint', 'household', 'family', 'observed', 'family', 'family', 'delete');

  perform privacy.declare_path('public.family_members', 'self', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
  perform privacy.declare_path('public.family_members', 'family', 'link', null, null, 'family_id', 'public.families', 'id');
  perform privacy.declare_path('public.family_members', 'inviter', 'author', 'author', 'other', 'invited_by', 'public.users', 'id');
  perform privacy.declare('public.family_members', 'family_id id user_id', 'subject', 'account', 'identifier', 'assigned', 'family', 'family', 'delete');
  perform privacy.declare('public.family_members', 'role granted_permissions denied_permissions status access_expires_at', 'subject', 'account', 'membership', 'reported', 'family', 'family', 'delete');
  perform privacy.declare('public.family_members', 'joined_at created_at updated_at', 'subject', 'account', 'membership', 'observed', 'family', 'family', 'delete');

  perform privacy.declare_path('public.family_invitations', 'address', 'email', 'invitee', 'subject', 'email', 'public.family_invitations', 'email', 'lower');
  perform privacy.declare_path('public.family_invitations', 'account', 'email', 'account', 'subject', 'email', 'public.users', 'email', 'lower');
  perform privacy.declare_path('public.family_invitations', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('public.family_invitations', 'inviter', 'author', 'author', 'joint', 'invited_by', 'public.users', 'id');
  perform privacy.declare_path('public.family_invitations', 'accepter', 'author', 'author', 'joint', 'accepted_by', 'public.users', 'id');
  perform privacy.declare('public.family_invitations', 'family_id id', 'joint', 'household', 'identifier', 'assigned', 'family', 'invitation', 'delete');
  perform privacy.declare('public.family_invitations', 'email', 'other', 'invitee', 'contact', 'reported', 'family', 'invitation', 'delete');
  perform privacy.declare('public.family_invitations', 'token_hash', 'other', 'invitee', 'credential', 'assigned', 'security', 'invitation', 'delete');
  perform privacy.declare('public.family_invitations', 'role granted_permissions denied_permissions', 'joint', 'household', 'membership', 'provided', 'family', 'invitation', 'delete');
  perform privacy.declare('public.family_invitations', 'status expires_at accepted_at created_at updated_at', 'joint', 'household', 'membership', 'observed', 'family', 'invitation', 'delete');
  perform privacy.declare('public.family_invitations', 'accepted_by', 'joint', 'author', 'authorship', 'observed', 'family', 'invitation', 'sever');
  foreach t in array array['family_members', 'family_invitations'] loop
    perform privacy.declare('public.' || t, 'invited_by', 'joint', 'author', 'authorship', 'observed', 'family', 'family', 'sever');
  end loop;

  -- Rows of a family name who entered them, and are reached through membership.
  foreach t in array array['families', 'family_members', 'family_invitations', 'children', 'emergency_profiles', 'inventory_items', 'usage_logs',
    'reorder_suggestions', 'analytics_events', 'usage_analytics'] loop
    perform privacy.declare_path('public.' || t, 'author', 'author', 'author', 'joint', 'created_by', 'public.users', 'id');
    perform privacy.declare('public.' || t, 'created_by', 'joint', 'author', 'authorship', 'observed', 'accountability', 'family', 'sever');
    if t not in ('families', 'family_members', 'family_invitations') then
      perform privacy.declare_path('public.' || t, 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
    end if;
    if t in ('emergency_profiles', 'inventory_items', 'usage_logs', 'reorder_suggestions', 'usage_analytics') then
      perform privacy.declare_path('public.' || t, 'child', 'child', 'child', 'subject', 'family_id child_id', 'public.children', 'family_id id');
    end if;
  end loop;

  perform privacy.declare_path('public.children', 'self', 'direct', 'child', 'subject', 'family_id id', 'public.children', 'family_id id');
  perform privacy.declare('public.children', 'family_id id', 'subject', 'child', 'identifier', 'assigned', 'care', 'family', 'delete');
  perform privacy.declare('public.children', 'name date_of_birth gender', 'subject', 'child', 'identity', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.children', 'province', 'subject', 'child', 'contact', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.children', 'current_diaper_size size_history daily_usage_count', 'subject', 'child', 'care', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.children', 'current_weight_kg current_height_cm weight_history height_history special_needs has_sensitive_skin has_allergies allergies_notes',
    'subject', 'child', 'health', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.children', 'created_at updated_at deleted_at', 'subject', 'child', 'care', 'observed', 'care', 'family', 'delete');

  perform privacy.declare_path('public.emergency_profiles', 'contact', 'direct', 'contact', 'subject', 'family_id id', 'public.emergency_profiles', 'family_id id');
  perform privacy.declare_path('public.emergency_profiles', 'provider', 'direct', 'provider', 'other', 'family_id id', 'public.emergency_profiles', 'family_id id');
  perform privacy.declare('public.emergency_profiles', 'family_id id child_id', 'subject', 'child', 'identifier', 'assigned', 'emergency', 'family', 'delete');
  perform privacy.declare('public.emergency_profiles', 'contact_name', 'other', 'contact', 'identity', 'reported', 'emergency', 'family', 'anonymize', anonymized_as => erased);
  perform privacy.declare('public.emergency_profiles', 'relationship speaks_french speaks_english', 'other', 'contact', 'identity', 'reported', 'emergency', 'family', 'anonymize');
  perform privacy.declare('public.emergency_profiles', 'phone_primary phone_secondary', 'other', 'contact', 'contact', 'reported', 'emergency', 'family', 'anonymize');
  perform privacy.declare('public.emergency_profiles', 'can_pickup can_make_medical_decisions', 'other', 'contact', 'membership', 'reported', 'emergency', 'family', 'anonymize', anonymized_as => 'false');
  perform privacy.declare('public.emergency_profiles', 'blood_type allergies has_epipen medications medical_conditions health_card_number health_card_province health_card_expiry',
    'subject', 'child', 'health', 'provided', 'emergency', 'family', 'delete');
  perform privacy.declare('public.emergency_profiles', 'provider_name provider_clinic', 'other', 'provider', 'identity', 'reported', 'emergency', 'family', 'anonymize');
  perform privacy.declare('public.emergency_profiles', 'provider_phone', 'other', 'provider', 'contact', 'reported', 'emergency', 'family', 'anonymize');
  perform privacy.declare('public.emergency_profiles', 'created_at updated_at', 'subject', 'child', 'health', 'observed', 'emergency', 'family', 'delete');

  perform privacy.declare('public.inventory_items', 'family_id id child_id', 'joint', 'household', 'identifier', 'assigned', 'supplies', 'family', 'delete');
  perform privacy.declare('public.inventory_items', 'product_type brand product_name size quantity_total quantity_reserved purchase_date purchase_source cost_cad expiry_date batch_number barcode storage_location is_opened opened_date notes quality_rating',
    'joint', 'household', 'product', 'provided', 'supplies', 'family', 'delete');
  perform privacy.declare('public.inventory_items', 'quantity_remaining created_at updated_at deleted_at', 'joint', 'household', 'product', 'observed', 'supplies', 'family', 'delete');

  perform privacy.declare_path('public.usage_logs', 'item', 'link', null, null, 'family_id inventory_item_id', 'public.inventory_items', 'family_id id');
  perform privacy.declare_path('public.usage_logs', 'caregiver', 'direct', 'caregiver', 'other', 'caregiver_name', 'public.usage_logs', 'caregiver_name', 'lower');
  perform privacy.declare('public.usage_logs', 'family_id id child_id inventory_item_id', 'subject', 'child', 'identifier', 'assigned', 'care', 'family', 'delete');
  perform privacy.declare('public.usage_logs', 'usage_type logged_at quantity_used context was_wet was_soiled had_leakage product_rating notes', 'subject', 'child', 'care', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.usage_logs', 'health_notes', 'subject', 'child', 'health', 'provided', 'care', 'family', 'delete');
  perform privacy.declare('public.usage_logs', 'caregiver_name', 'other', 'caregiver', 'identity', 'reported', 'care', 'family', 'anonymize');
  perform privacy.declare('public.usage_logs', 'time_since_last_change', 'subject', 'child', 'care', 'inferred', 'care', 'family', 'delete');
  perform privacy.declare('public.usage_logs', 'created_at updated_at', 'subject', 'child', 'care', 'observed', 'care', 'family', 'delete');

  perform privacy.declare('public.reorder_suggestions', 'family_id id child_id', 'joint', 'household', 'identifier', 'assigned', 'supplies', 'family', 'delete');
  perform privacy.declare('public.reorder_suggestions', 'product_type product predicted_runout_date recommended_reorder_date confidence', 'joint', 'household', 'product', 'inferred', 'supplies', 'family', 'delete');
  perform privacy.declare('public.reorder_suggestions', 'status', 'joint', 'household', 'product', 'provided', 'supplies', 'family', 'delete');
  perform privacy.declare('public.reorder_suggestions', 'created_at updated_at', 'joint', 'household', 'product', 'observed', 'supplies', 'family', 'delete');

  perform privacy.declare('public.analytics_events', 'family_id id', 'joint', 'household', 'identifier', 'assigned', 'analytics', 'analytics', 'delete');
  perform privacy.declare('public.analytics_events', 'event_type properties occurred_at created_at updated_at', 'joint', 'household', 'usage', 'observed', 'analytics', 'analytics', 'delete');

  perform privacy.declare('public.usage_analytics', 'family_id id child_id', 'subject', 'child', 'identifier', 'assigned', 'analytics', 'analytics', 'delete');
  perform privacy.declare('public.usage_analytics', 'period period_start change_count hourly_distribution cost_cad longest_gap shortest_gap brand size created_at updated_at',
    'subject', 'child', 'usage', 'inferred', 'analytics', 'analytics', 'delete');

  foreach t in array array['notification_preferences', 'notification_logs', 'subscriptions', 'payment_methods', 'consent_records'] loop
    perform privacy.declare_path('public.' || t, 'self', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id');
  end loop;
  perform privacy.declare('public.notification_preferences', 'user_id id', 'subject', 'account', 'identifier', 'assigned', 'notification', 'account', 'delete');
  perform privacy.declare('public.notification_preferences', 'push_enabled email_enabled sms_enabled quiet_hours_start quiet_hours_end reorder_threshold_days daily_limit',
    'subject', 'account', 'preference', 'provided', 'notification', 'account', 'delete');
  perform privacy.declare('public.notification_preferences', 'device_tokens', 'subject', 'account', 'credential', 'observed', 'notification', 'account', 'delete',
    withheld => 'whoever holds it can send to the device');
  perform privacy.declare('public.notification_preferences', 'consented_at', 'subject', 'account', 'consent', 'provided', 'notification', 'account', 'delete');
  perform privacy.declare('public.notification_preferences', 'created_at updated_at', 'subject', 'account', 'preference', 'observed', 'notification', 'account', 'delete');

  perform privacy.declare('public.notification_logs', 'user_id id external_id', 'subject', 'account', 'identifier', 'assigned', 'notification', 'notification', 'delete');
  perform privacy.declare('public.notification_logs', 'notification_type priority channel title message delivery_status sent_at delivered_at opened_at error_code created_at updated_at',
    'subject', 'account', 'communication', 'observed', 'notification', 'notification', 'delete');

  perform privacy.declare('public.subscriptions', 'user_id id', 'subject', 'account', 'identifier', 'assigned', 'billing', 'billing', 'keep', 'tax_records');
  perform privacy.declare('public.subscriptions', 'plan tier billing_interval province', 'subject', 'account', 'payment', 'provided', 'billing', 'billing', 'keep', 'tax_records');
  perform privacy.declare('public.subscriptions', 'status amount gst pst hst qst currency started_at ended_at created_at updated_at', 'subject', 'account', 'payment', 'observed', 'billing', 'billing', 'keep', 'tax_records');
  perform privacy.declare('public.subscriptions', 'trial_ends_at cooling_off_ends_at', 'subject', 'account', 'payment', 'observed', 'billing', 'account', 'anonymize');
  perform privacy.declare('public.subscriptions', 'stripe_customer_id stripe_subscription_id', 'subject', 'account', 'identifier', 'assigned', 'billing', 'account', 'anonymize');

  perform privacy.declare('public.payment_methods', 'user_id id', 'subject', 'account', 'identifier', 'assigned', 'billing', 'account', 'delete');
  perform privacy.declare('public.payment_methods', 'method_type card_brand card_last4 card_exp_month card_exp_year is_default', 'subject', 'account', 'payment', 'provided', 'billing', 'account', 'delete');
  perform privacy.declare('public.payment_methods', 'created_at updated_at', 'subject', 'account', 'payment', 'observed', 'billing', 'account', 'delete');
  perform privacy.declare('public.payment_methods', 'stripe_payment_method_id', 'subject', 'account', 'credential', 'assigned', 'billing', 'account', 'delete',
    withheld => 'a token of the payment provider, of use to nobody else');

  perform privacy.declare('public.consent_records', 'user_id id', 'subject', 'account', 'identifier', 'assigned', 'consent', 'consent', 'keep', 'consent_evidence');
  perform privacy.declare('public.consent_records', 'consent_type status consent_version granted_at withdrawn_at expires_at legal_basis purpose data_categories third_parties jurisdiction province consent_method evidence',
    'subject', 'account', 'consent', 'provided', 'consent', 'consent', 'keep', 'consent_evidence');
  perform privacy.declare('public.consent_records', 'ip_address user_agent', 'subject', 'account', 'device', 'observed', 'consent', 'consent', 'keep', 'consent_evidence');
  perform privacy.declare('public.consent_records', 'created_at updated_at', 'subject', 'account', 'consent', 'observed', 'consent', 'consent', 'keep', 'consent_evidence');

  perform privacy.declare_operational('public.role_permissions', 'role permission row_scope');

  -- Refreshed from the rows behind it, and so rid of whoever is gone from them.
  perform privacy.declare_path('private.weekly_usage', 'child', 'child', 'child', 'subject', 'family_id child_id', 'public.children', 'family_id id');
  perform privacy.declare('private.weekly_usage', 'family_id child_id', 'subject', 'child', 'identifier', 'assigned', 'analytics', 'analytics', 'delete');
  perform privacy.declare('private.weekly_usage', 'week events changes items_used leakages', 'subject', 'child', 'usage', 'inferred', 'analytics', 'analytics', 'delete');
  perform privacy.declare_operational('private.weekly_activity', 'week families children events changes', 'analytics', 'analytics');
  perform privacy.declare_operational('private.app_logins', 'login registered_at');
end $$;

-- What the console keeps about its own work ------------------------------------------------------------------------

do $$
declare
  erased constant text := '''erased on request''';
  named constant text := 'may name somebody else; told in words on request (PIPEDA s. 9(1))';
  staff record;
begin
  perform privacy.declare_path('ops.operators', 'self', 'direct', 'operator', 'subject', 'login', 'ops.operators', 'login');
  for staff in
    select * from (values
      ('ops.operators', 'login display_name email registered_by', 'staff', false),
      ('ops.operator_duties', 'login granted_by', 'staff', false),
      ('ops.access_diagnoses', 'operator', 'access_record', false),
      ('ops.access_explanations', 'operator', 'access_record', false),
      ('ops.access_grants', 'operator', 'access_record', false),
      ('ops.access_reviews', 'operator reviewer', 'access_record', false),
      ('ops.analytics_refreshes', 'refreshed_by', 'access_record', false),
      ('ops.approvals', 'requested_by decided_by', 'access_record', false),
      ('ops.catalogue_snapshots', 'taken_by', 'staff', false),
      ('ops.directory_lookups', 'operator', 'access_record', false),
      ('ops.impersonations', 'operator', 'access_record', false),
      ('ops.invitation_mails', 'requested_by', 'access_record', true),
      ('ops.maintenance_runs', 'run_by', 'staff', false),
      ('ops.migration_runs', 'ran_by', 'staff', false),
      ('ops.moves', 'operator', 'access_record', false),
      ('audit.archive_erasures', 'done_by', 'audit', false),
      ('audit.archives', 'begun_by recorded_by dropped_by', 'audit', false),
      ('audit.checkpoints', 'made_by', 'audit', false),
      ('audit.epochs', 'recorded_by', 'audit', false),
      ('audit.erasures', 'erased_by', 'audit', false),
      ('audit.events', 'session_login', 'audit', false),
      ('audit.readings', 'operator', 'access_record', true)
    ) s (table_name, columns, retention, goes)
  loop
    -- Where the row goes with another person, it goes.
    perform privacy.declare(staff.table_name, staff.columns, 'other', 'operator', 'staff', 'observed', 'accountability', staff.retention,
      case when staff.goes then 'delete' else 'keep' end, case when not staff.goes then 'accountability' end);
    perform privacy.declare_path(staff.table_name, 'by_' || c, 'direct', 'operator', 'subject', c, 'ops.operators', 'login')
    from regexp_split_to_table(staff.columns, ' ') c
    where (staff.table_name, c) <> ('ops.operators', 'login') and c not in ('display_name', 'email');
  end loop;
  perform privacy.declare_operational('ops.operators', 'registered_at revoked_at', 'accountability', 'staff');
  perform privacy.declare_operational('ops.operator_duties', 'duty granted_at expires_at revoked_at', 'accountability', 'staff');

  -- Reason and ticket of what was opened, asked and done; free text of staff.
  perform privacy.declare_path('ops.access_grants', 'person', 'direct', 'account', 'joint', 'user_id', 'public.users', 'id');
  perform privacy.declare_path('ops.access_grants', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('ops.access_grants', 'approval', 'link', null, null, 'approval_id', 'ops.approvals', 'id');
  perform privacy.declare('ops.access_grants', 'user_id', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare('ops.access_grants', 'id duty kind family_id opened_at expires_at closed_at', 'joint', 'household', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare('ops.access_grants', 'reason', 'joint', 'household', 'access_record', 'reported', 'accountability', 'access_record', 'anonymize', anonymized_as => erased, withheld => named);
  perform privacy.declare('ops.access_grants', 'ticket', 'joint', 'household', 'access_record', 'reported', 'accountability', 'access_record', 'keep', 'accountability', withheld => 'leads into a system of staff');
  perform privacy.declare_operational('ops.access_grants', 'opened_xid review_due_at approval_id', 'accountability', 'access_record');

  perform privacy.declare_path('ops.access_reviews', 'household', 'membership', 'household', 'joint', 'grant_id', 'ops.access_grants', 'id');
  perform privacy.declare('ops.access_reviews', 'note', 'joint', 'household', 'access_record', 'reported', 'accountability', 'access_record', 'anonymize', anonymized_as => erased, withheld => named);
  perform privacy.declare_operational('ops.access_reviews', 'grant_id duty verdict reviewed_at', 'accountability', 'access_record');

  perform privacy.declare_path('ops.access_diagnoses', 'person', 'direct', 'account', 'subject', 'person', 'public.users', 'id');
  perform privacy.declare_path('ops.access_diagnoses', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare('ops.access_diagnoses', 'id person duty permissions asked_at', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare('ops.access_diagnoses', 'family_id', 'joint', 'household', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare('ops.access_diagnoses', 'child', 'joint', 'household', 'access_record', 'reported', 'accountability', 'access_record', 'anonymize');
  perform privacy.declare_operational('ops.access_diagnoses', 'asked_xid', 'accountability', 'access_record');

  perform privacy.declare_path('ops.access_explanations', 'person', 'direct', 'account', 'subject', 'person', 'public.users', 'id');
  perform privacy.declare('ops.access_explanations', 'id person duty table_name row_key command moment asked_at', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare_operational('ops.access_explanations', 'asked_xid', 'accountability', 'access_record');

  perform privacy.declare_path('ops.impersonations', 'person', 'direct', 'account', 'subject', 'person', 'public.users', 'id');
  perform privacy.declare_path('ops.impersonations', 'grant', 'link', null, null, 'grant_id', 'ops.access_grants', 'id');
  perform privacy.declare('ops.impersonations', 'id person duty writes asked_at', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'keep', 'accountability');
  perform privacy.declare('ops.impersonations', 'statement', 'subject', 'account', 'access_record', 'reported', 'accountability', 'access_record', 'anonymize', anonymized_as => erased, withheld => named);
  perform privacy.declare_operational('ops.impersonations', 'grant_id', 'accountability', 'access_record');

  perform privacy.declare_path('ops.directory_lookups', 'address', 'email', 'account', 'other', 'query', 'public.users', 'email', 'lower');
  perform privacy.declare_path('ops.directory_lookups', 'named', 'payload', 'account', 'other', 'query', 'public.users', 'id', 'contains');
  perform privacy.declare_path('ops.directory_lookups', 'grant', 'link', null, null, 'grant_id', 'ops.access_grants', 'id');
  perform privacy.declare('ops.directory_lookups', 'query', 'other', 'account', 'access_record', 'reported', 'accountability', 'access_record', 'anonymize', anonymized_as => erased);
  perform privacy.declare('ops.directory_lookups', 'after_id', 'other', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'anonymize');
  perform privacy.declare_operational('ops.directory_lookups', 'id grant_id looking_for by looked_up_at looked_up_xid', 'accountability', 'access_record');

  perform privacy.declare_path('ops.approvals', 'rule', 'link', null, null, 'action', 'ops.approval_rules', 'action');
  perform privacy.declare_path('ops.approvals', 'named', 'payload', 'account', 'other', 'plan', 'public.users', 'id', 'contains');
  perform privacy.declare('ops.approvals', 'plan', 'other', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', anonymized_as => '''{"erased": true}''');
  perform privacy.declare('ops.approvals', 'reason', 'other', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', anonymized_as => erased);
  perform privacy.declare('ops.approvals', 'decided_reason', 'other', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', anonymized_as => erased);
  perform privacy.declare_operational('ops.approvals', 'id action plan_hash duty approver_duty ticket requested_at expires_at decision decided_at decided_xid used_at used_xid', 'accountability', 'audit');
  perform privacy.declare_operational('ops.approval_rules', 'action requester_duty approver_duty lasts about');

  perform privacy.declare_path('ops.invitation_mails', 'invitation', 'email', 'invitee', 'subject', 'family_id invitation_id', 'public.family_invitations', 'family_id id');
  perform privacy.declare('ops.invitation_mails', 'id family_id invitation_id requested_at sent_at', 'other', 'invitee', 'communication', 'observed', 'family', 'invitation', 'delete');

  perform privacy.declare_path('ops.moves', 'from', 'membership', 'household', 'joint', 'from_family', 'public.families', 'id');
  perform privacy.declare_path('ops.moves', 'to', 'membership', 'household', 'joint', 'to_family', 'public.families', 'id');
  perform privacy.declare_path('ops.moves', 'children', 'payload', 'child', 'subject', 'children', 'public.children', 'id', 'contains');
  perform privacy.declare_path('ops.moves', 'undone', 'link', null, null, 'undoes', 'ops.moves', 'id');
  perform privacy.declare('ops.moves', 'children', 'subject', 'child', 'access_record', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('ops.moves', 'id kind from_family to_family shared back copied cut counts was_archived_at undoes moved_at', 'joint', 'household', 'access_record', 'observed', 'accountability', 'audit', 'keep', 'accountability');
  perform privacy.declare('ops.moves', 'reason', 'joint', 'household', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', anonymized_as => erased, withheld => named);
  perform privacy.declare('ops.moves', 'ticket', 'joint', 'household', 'access_record', 'reported', 'accountability', 'audit', 'keep', 'accountability', withheld => 'leads into a system of staff');
  perform privacy.declare_operational('ops.moves', 'plan_hash duty request_id xid', 'accountability', 'audit');

  perform privacy.declare_operational('ops.analytics_refreshes', 'id started_at finished_at');
  perform privacy.declare_operational('ops.duty_permissions', 'duty resource command condition');
  perform privacy.declare_operational('ops.maintenance_runs', 'id job started_at ended_at outcome detail counts error_code duty host server wal_lsn');
  perform privacy.declare_operational('ops.catalogue_snapshots', 'id taken_at taken_for hash content');
  perform privacy.declare_operational('ops.migrations', 'name timestamp');
  perform privacy.declare_operational('ops.migration_lock', 'id is_locked');
  perform privacy.declare_operational('ops.migration_runs', 'id migration direction up_sha256 down_sha256 ran_at console_version duration_ms snapshot_id');
  perform privacy.declare_path('ops.migration_runs', 'snapshot', 'link', null, null, 'snapshot_id', 'ops.catalogue_snapshots', 'id');
end $$;

-- The audit log ----------------------------------------------------------------------------------------------------

do $$
declare
  named constant text := 'may name somebody else; told in words on request (PIPEDA s. 9(1))';
begin
  -- Erased through audit.erase_subject, which nulls parts and salts and leaves the tree whole.
  perform privacy.declare_path('audit.events', 'actor', 'direct', 'account', 'subject', 'app_user', 'public.users', 'id');
  perform privacy.declare_path('audit.events', 'subject', 'direct', 'account', 'subject', 'subject_user', 'public.users', 'id');
  perform privacy.declare_path('audit.events', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('audit.events', 'named_before', 'payload', 'author', 'other', 'named_old', 'public.users', 'id', 'contains');
  perform privacy.declare_path('audit.events', 'named_after', 'payload', 'author', 'other', 'named_new', 'public.users', 'id', 'contains');
  perform privacy.declare('audit.events', 'app_user subject_user record_id record_key changed_columns', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'anonymize');
  perform privacy.declare('audit.events', 'old_row new_row', 'subject', 'account', 'access_record', 'observed', 'accountability', 'audit', 'anonymize');
  perform privacy.declare('audit.events', 'family_id', 'joint', 'household', 'access_record', 'observed', 'accountability', 'audit', 'anonymize');
  perform privacy.declare('audit.events', 'named_old named_new', 'joint', 'author', 'access_record', 'observed', 'accountability', 'audit', 'anonymize');
  perform privacy.declare('audit.events', 'reason ticket', 'subject', 'account', 'access_record', 'reported', 'accountability', 'audit', 'anonymize', withheld => named);
  perform privacy.declare_operational('audit.events', 'id xid occurred_at epoch category operation table_name duty request_id named_columns salts leaf erased_hashes erased_requests', 'accountability', 'audit');

  perform privacy.declare_path('audit.readings', 'person', 'direct', 'account', 'joint', 'user_id', 'public.users', 'id');
  perform privacy.declare_path('audit.readings', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('audit.readings', 'named', 'payload', 'account', 'other', 'question', 'public.users', 'id', 'contains');
  perform privacy.declare('audit.readings', 'id user_id duty kind asked_at', 'subject', 'account', 'access_record', 'observed', 'accountability', 'access_record', 'delete');
  perform privacy.declare('audit.readings', 'question', 'subject', 'account', 'access_record', 'reported', 'accountability', 'access_record', 'delete', withheld => named);
  perform privacy.declare('audit.readings', 'family_id', 'joint', 'household', 'access_record', 'observed', 'accountability', 'access_record', 'delete');

  -- Salted hashes of rows that were there before the log.
  perform privacy.declare_path('audit.unlogged_rows', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('audit.unlogged_rows', 'person', 'payload', 'account', 'subject', 'record', 'public.users', 'id', 'contains');
  perform privacy.declare('audit.unlogged_rows', 'family_id', 'joint', 'household', 'identifier', 'assigned', 'accountability', 'audit', 'delete');
  perform privacy.declare('audit.unlogged_rows', 'record', 'subject', 'account', 'identifier', 'assigned', 'accountability', 'audit', 'delete');
  perform privacy.declare('audit.unlogged_rows', 'salt digest', 'subject', 'account', 'access_record', 'assigned', 'accountability', 'audit', 'delete', withheld => 'a hash, which tells nothing');
  perform privacy.declare_operational('audit.unlogged_rows', 'table_name', 'accountability', 'audit');

  -- And of rows whose first events are archived.
  perform privacy.declare_path('audit.archived_rows', 'archive', 'link', null, null, 'archive_id', 'audit.archives', 'id');
  perform privacy.declare_path('audit.archived_rows', 'household', 'membership', 'household', 'joint', 'family_id', 'public.families', 'id');
  perform privacy.declare_path('audit.archived_rows', 'person', 'payload', 'account', 'subject', 'record', 'public.users', 'id', 'contains');
  perform privacy.declare('audit.archived_rows', 'family_id', 'joint', 'household', 'identifier', 'assigned', 'accountability', 'audit', 'delete');
  perform privacy.declare('audit.archived_rows', 'record', 'subject', 'account', 'identifier', 'assigned', 'accountability', 'audit', 'delete');
  perform privacy.declare('audit.archived_rows', 'salt digest', 'subject', 'account', 'access_record', 'assigned', 'accountability', 'audit', 'delete', withheld => 'a hash, which tells nothing');
  perform privacy.declare_operational('audit.archived_rows', 'archive_id table_name', 'accountability', 'audit');

  perform privacy.declare_operational('audit.archives', 'id category month tree_from tree_size place begun_at events first_leaf last_leaf leaves manifest record recorded_at dropped_at', 'accountability', 'audit');
  perform privacy.declare_operational('audit.archive_objects', 'archive_id kind number key version size sha256 events first_at last_at', 'accountability', 'audit');
  perform privacy.declare_operational('audit.archive_erasures', 'approval_id archive_id request readings done_at events parts', 'rights', 'audit');
  perform privacy.declare_path('audit.archive_objects', 'archive', 'link', null, null, 'archive_id', 'audit.archives', 'id');
  perform privacy.declare_path('audit.archive_erasures', 'archive', 'link', null, null, 'archive_id', 'audit.archives', 'id');
  perform privacy.declare_path('audit.archive_erasures', 'erasure', 'link', null, null, 'approval_id', 'audit.erasures', 'approval_id');
  perform privacy.declare_operational('audit.erasures', 'approval_id request erased_at erased_xid events parts', 'rights', 'audit');
  perform privacy.declare_operational('audit.epochs', 'epoch system_identifier timeline began_at tree_size seen_size seen_root adopted evidence approval_id record', 'accountability', 'audit');
  perform privacy.declare_operational('audit.checkpoints', 'id origin size root note catalogue made_at', 'accountability', 'audit');
  perform privacy.declare_operational('audit.catalogues', 'fingerprint content seen_at', 'accountability', 'audit');
  perform privacy.declare_operational('audit.captured_tables', 'table_name category named_columns redacted_columns columns');
  perform privacy.declare_operational('audit.tiles', 'level number hashes entries families', 'accountability', 'audit');
  perform privacy.declare_path('audit.family_chains', 'household', 'membership', 'household', 'joint', 'key', 'public.families', 'id', 'sha256');
  perform privacy.declare('audit.family_chains', 'key', 'joint', 'household', 'identifier', 'assigned', 'accountability', 'audit', 'keep', 'accountability', withheld => 'a hash, which tells nothing');
  perform privacy.declare_operational('audit.family_chains', 'number count head', 'accountability', 'audit');
  perform privacy.declare_operational('audit.tree', 'only_one log_id size first_epoch watermark moved_at', 'accountability', 'audit');
  perform privacy.declare_operational('audit.seal_marks', 'first_epoch next_xid last_id', 'accountability', 'audit');
  perform privacy.declare_path('audit.erasures', 'approval', 'link', null, null, 'approval_id', 'ops.approvals', 'id');
  perform privacy.declare_path('audit.epochs', 'approval', 'link', null, null, 'approval_id', 'ops.approvals', 'id');
  perform privacy.declare_path('audit.checkpoints', 'catalogue', 'link', null, null, 'catalogue', 'audit.catalogues', 'fingerprint');
end $$;

-- The map itself ---------------------------------------------------------------------------------------------------

select privacy.declare_operational('privacy.categories', 'category about sensitive'),
  privacy.declare_operational('privacy.purposes', 'purpose about law'),
  privacy.declare_operational('privacy.retentions', 'retention keeps begins law proposed'),
  privacy.declare_operational('privacy.obligations', 'obligation about law proposed'),
  privacy.declare_operational('privacy.subjects', 'subject about root_table root_columns'),
  privacy.declare_operational('privacy.paths', 'table_name path via subject whose columns to_table to_columns compares'),
  privacy.declare_operational('privacy.column_answers', 'table_name column_name whose subject category origin purpose retention erasure anonymized_as obligation exported withheld'),
  privacy.declare_path('privacy.paths', 'subject', 'link', null, null, 'subject', 'privacy.subjects', 'subject');
select privacy.declare_path('privacy.column_answers', word, 'link', null, null, word, listed, word)
from (values ('subject', 'privacy.subjects'), ('category', 'privacy.categories'), ('purpose', 'privacy.purposes'), ('retention', 'privacy.retentions'),
  ('obligation', 'privacy.obligations')) w (word, listed);

-- Supabase's own tables, where they are there; its services change their columns without us --------------------------

do $$
declare
  own record;
begin
  perform privacy.declare_path('auth.users', 'self', 'direct', 'account', 'subject', 'id', 'public.users', 'id');
  perform privacy.declare_path('auth.audit_log_entries', 'named', 'payload', 'account', 'subject', 'payload', 'public.users', 'id', 'contains');
  perform privacy.declare_path('auth.saml_relay_states', 'address', 'email', 'account', 'subject', 'for_email', 'public.users', 'email', 'lower');
  for own in
    select * from (values
      ('auth.identities', 'user_id'), ('auth.sessions', 'user_id'), ('auth.refresh_tokens', 'user_id'), ('auth.mfa_factors', 'user_id'),
      ('auth.one_time_tokens', 'user_id'), ('auth.flow_state', 'user_id'), ('auth.oauth_authorizations', 'user_id'), ('auth.oauth_consents', 'user_id'),
      ('auth.webauthn_credentials', 'user_id'), ('auth.webauthn_challenges', 'user_id')) o (table_name, column_name)
  loop
    -- As text: some of them keep the id so.
    perform privacy.declare_path(own.table_name, 'person', 'direct', 'account', 'subject', own.column_name, 'auth.users', 'id', 'lower');
    perform privacy.declare(own.table_name, '*', 'subject', 'account', 'credential', 'observed', 'security', 'account', 'delete', withheld => 'lets somebody in, or did');
  end loop;
  perform privacy.declare_path('auth.mfa_challenges', 'person', 'direct', 'account', 'subject', 'factor_id', 'auth.mfa_factors', 'id');
  perform privacy.declare_path('auth.mfa_amr_claims', 'person', 'direct', 'account', 'subject', 'session_id', 'auth.sessions', 'id');
  perform privacy.declare_path('auth.refresh_tokens', 'session', 'link', null, null, 'session_id', 'auth.sessions', 'id');
  perform privacy.declare('auth.mfa_challenges', '*', 'subject', 'account', 'credential', 'observed', 'security', 'account', 'delete', withheld => 'lets somebody in, or did');
  perform privacy.declare('auth.mfa_amr_claims', '*', 'subject', 'account', 'credential', 'observed', 'security', 'account', 'delete', withheld => 'lets somebody in, or did');
  perform privacy.declare('auth.saml_relay_states', '*', 'subject', 'account', 'credential', 'observed', 'security', 'account', 'delete', withheld => 'lets somebody in, or did');
  perform privacy.declare('auth.audit_log_entries', '*', 'subject', 'account', 'access_record', 'observed', 'security', 'audit', 'delete');
  perform privacy.declare('auth.users', '*', 'subject', 'account', 'account', 'observed', 'account', 'account', 'delete');
  perform privacy.declare('auth.users', 'email phone', 'subject', 'account', 'contact', 'provided', 'account', 'account', 'delete');
  perform privacy.declare('auth.users', 'raw_user_meta_data', 'subject', 'account', 'identity', 'provided', 'account', 'account', 'delete');
  perform privacy.declare('auth.users', 'encrypted_password confirmation_token recovery_token email_change_token_new email_change_token_current phone_change_token reauthentication_token',
    'subject', 'account', 'credential', 'assigned', 'security', 'account', 'delete', withheld => 'lets somebody in');
  perform privacy.declare_operational('auth.' || t, '*')
  from unnest(array['schema_migrations', 'instances', 'sso_providers', 'sso_domains', 'saml_providers', 'oauth_clients', 'oauth_client_states', 'custom_oauth_providers']) t;
  perform privacy.declare_path('auth.sso_domains', 'provider', 'link', null, null, 'sso_provider_id', 'auth.sso_providers', 'id');
  perform privacy.declare_path('auth.saml_providers', 'provider', 'link', null, null, 'sso_provider_id', 'auth.sso_providers', 'id');
  perform privacy.declare_path('auth.saml_relay_states', 'provider', 'link', null, null, 'sso_provider_id', 'auth.sso_providers', 'id');
  perform privacy.declare_path('auth.saml_relay_states', 'flow', 'link', null, null, 'flow_state_id', 'auth.flow_state', 'id');
  perform privacy.declare_path('auth.sessions', 'client', 'link', null, null, 'oauth_client_id', 'auth.oauth_clients', 'id');
  perform privacy.declare_path('auth.oauth_authorizations', 'client', 'link', null, null, 'client_id', 'auth.oauth_clients', 'id');
  perform privacy.declare_path('auth.oauth_consents', 'client', 'link', null, null, 'client_id', 'auth.oauth_clients', 'id');

  -- Nothing of ours is stored there; what somebody puts there is its owner's.
  perform privacy.declare_path('storage.' || t, 'owner', 'direct', 'account', 'subject', 'owner_id', 'public.users', 'id', 'lower')
  from unnest(array['objects', 's3_multipart_uploads', 's3_multipart_uploads_parts']) t;
  perform privacy.declare('storage.' || t, '*', 'subject', 'account', 'usage', 'provided', 'account', 'account', 'delete')
  from unnest(array['objects', 's3_multipart_uploads', 's3_multipart_uploads_parts']) t;
  perform privacy.declare_path('storage.' || t, 'bucket', 'link', null, null, c, b, 'id')
  from (values ('objects', 'bucket_id', 'storage.buckets'), ('s3_multipart_uploads', 'bucket_id', 'storage.buckets'), ('s3_multipart_uploads_parts', 'bucket_id', 'storage.buckets'),
    ('prefixes', 'bucket_id', 'storage.buckets'), ('iceberg_namespaces', 'bucket_id', 'storage.buckets_analytics'), ('iceberg_tables', 'bucket_id', 'storage.buckets_analytics'),
    ('vector_indexes', 'bucket_id', 'storage.buckets_vectors')) l (t, c, b);
  perform privacy.declare_path('storage.s3_multipart_uploads_parts', 'upload', 'link', null, null, 'upload_id', 'storage.s3_multipart_uploads', 'id');
  perform privacy.declare_path('storage.iceberg_tables', 'namespace', 'link', null, null, 'namespace_id', 'storage.iceberg_namespaces', 'id');
  perform privacy.declare_operational('storage.' || t, '*')
  from unnest(array['buckets', 'migrations', 'prefixes', 'buckets_analytics', 'buckets_vectors', 'iceberg_namespaces', 'iceberg_tables', 'vector_indexes']) t;
end $$;

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.path_condition(text, text) to nestsync_compliance, nestsync_sre, nestsync_admin;
