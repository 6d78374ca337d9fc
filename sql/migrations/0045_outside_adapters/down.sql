do $$
begin
  if exists (select from privacy.erasure_outside where recipient = 'storage') then
    raise exception 'files of somebody who was erased were followed: the record of it is not dropped';
  end if;
end $$;
drop function privacy.erasure_files(text, integer);
drop function privacy.outside_failed(text, text, text);
drop function privacy.try_outside(text, text);

create or replace function private.late_steps(e privacy.erasures) returns table (step jsonb, columns text[])
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

create or replace function private.plan_outside(person uuid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('recipient', x.recipient, 'about', x.about, 'columns', x.columns) order by x.recipient), '[]') from (
    select p.recipient, p.about, jsonb_agg(c.table_name || '.' || c.column_name order by c.table_name, c.column_name) as columns
    from privacy.recipients p join privacy.recipient_columns c using (recipient)
    where private.has_value(c.table_name, c.column_name, plan_outside.person) group by p.recipient, p.about) x;
end;

create or replace function private.plan_steps(person uuid, going uuid[], kin uuid[]) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(s.step order by t.table_name, s.at), '[]') from (
    select distinct a.table_name from privacy.column_answers a
    where a.whose <> 'operational' and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
    cross join lateral jsonb_array_elements(private.plan_table(t.table_name, person, going, kin)) with ordinality s (step, at);
end;

create or replace function private.spellings(names text, value text) returns table (spelled text)
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

create or replace function private.person_identifiers(person uuid, families uuid[]) returns table (names text, value text)
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

drop function private.files_of(uuid, integer);
select privacy.undeclare('privacy.recipients', 'handles'), privacy.undeclare('privacy.erasure_outside', 'tries tried_at failure');
alter table privacy.erasure_outside drop column tries, drop column tried_at, drop column failure;
select audit.attach('privacy.erasure_outside', 'modification', record => null);
delete from privacy.erasure_identifiers where names in ('customer', 'address', 'token');
alter table privacy.erasure_identifiers drop constraint erasure_identifiers_names,
  add constraint erasure_identifiers_names check (names in ('id', 'email', 'phone', 'name', 'child', 'device', 'stripe', 'reading'));
comment on table privacy.erasure_identifiers is
  'By what a person is found while they are erased, in small letters: kept until nothing of it is found any more. Never captured in the audit log.';
delete from privacy.recipients where recipient = 'storage';
alter table privacy.recipients drop column handles;
