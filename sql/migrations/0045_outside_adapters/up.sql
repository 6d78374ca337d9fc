-- kind: schema
-- locks: access exclusive on privacy.recipients, privacy.erasure_identifiers and privacy.erasure_outside, for a moment
-- transaction: yes
-- reversible: yes, where the storage of files was never followed
-- seeds: privacy.recipients, privacy.column_answers, audit.captured_tables

-- Whoever outside has data of a person can be told by a program: by what they know them, how often it was tried, and what kept it
-- from being done. Files go through the service that keeps them: a row deleted here would leave the file behind, found by nobody.

-- Tables of staff's work are small: looking through them takes a moment.
alter table privacy.recipients add column handles text[] not null default '{}',
  -- squawk-ignore constraint-missing-not-valid
  add constraint recipients_handles check (handles <@ '{address,phone,token,customer}'::text[]);
comment on column privacy.recipients.handles is 'By what they know a person, as privacy.erasure_identifiers names it.';
update privacy.recipients r set handles = h.handles from (values
  ('payments', '{customer,address}'::text[]), ('email', '{address}'), ('sms', '{phone}'), ('push', '{token}')) h (recipient, handles) where h.recipient = r.recipient;
insert into privacy.recipients (recipient, about) values ('storage', 'the service that keeps files of the app');

alter table privacy.erasure_identifiers drop constraint erasure_identifiers_names,
  -- squawk-ignore constraint-missing-not-valid
  add constraint erasure_identifiers_names check (names in ('id', 'email', 'phone', 'name', 'child', 'device', 'stripe', 'reading', 'customer', 'address', 'token'));
comment on table privacy.erasure_identifiers is
  'By what a person is found while they are erased, in small letters, but customer, address and token, which are as others know them: kept until nothing of it is found any more. Never captured in the audit log.';

alter table privacy.erasure_outside add column tries integer not null default 0, add column tried_at timestamptz, add column failure text,
  -- squawk-ignore constraint-missing-not-valid
  add constraint erasure_outside_tried check ((tries = 0) = (tried_at is null) and (failure is null or tries > 0)),
  -- squawk-ignore constraint-missing-not-valid
  add constraint erasure_outside_failure check (failure ~ '^[a-z_]{1,60}$');
comment on column privacy.erasure_outside.tries is 'How often a program asked them.';
comment on column privacy.erasure_outside.failure is 'The code of what kept the last try from being done; null where it was done, or still runs.';

create function private.files_of(person uuid, wanted integer) returns table (bucket text, name text)
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if to_regclass('storage.objects') is null or not has_table_privilege('storage.objects', 'select') then
    return;
  end if;
  return query execute format('select bucket_id::text, name::text from storage.objects where %s order by 1, 2 limit $1',
    (private.erasure_scope('storage.objects', person, '{}')).own) using wanted;
end $$;
comment on function private.files_of(uuid, integer) is 'Files that a person owns at the service that keeps them, where there is one and its tables can be read.';

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
  where char_length(btrim(i.value)) > 1
  union all
  select distinct i.names, i.value from (
    select 'customer' as names, s.stripe_customer_id::text as value from public.subscriptions s where s.user_id = person
    union all select 'address', u.email from public.users u where u.id = person
    union all select 'token', d from public.notification_preferences p cross join lateral unnest(p.device_tokens) d where p.user_id = person) i
  where btrim(i.value) <> '';
end;
comment on function private.person_identifiers(uuid, uuid[]) is
  'By what a person, and the children of families that go with them, are found, in small letters; customer, address and token as others know them.';

create or replace function private.spellings(names text, value text) returns table (spelled text)
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
begin atomic
  with forms (form) as (
    -- Those are looked for as device, email and stripe.
    select value where names not in ('customer', 'address', 'token')
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

create or replace function private.plan_steps(person uuid, going uuid[], kin uuid[]) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(s.step order by t.table_name, s.at), '[]') from (
    select distinct a.table_name from privacy.column_answers a
    where a.whose <> 'operational' and (select k.relispopulated from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
    cross join lateral jsonb_array_elements(private.plan_table(t.table_name, person, going, kin)) with ordinality s (step, at)
  -- They follow as somebody outside does.
  where t.table_name <> 'storage.objects' or s.step ? 'unread';
end;

create or replace function private.plan_outside(person uuid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select coalesce(jsonb_agg(jsonb_build_object('recipient', x.recipient, 'about', x.about, 'columns', x.columns) order by x.recipient), '[]') from (
    select p.recipient, p.about, jsonb_agg(c.table_name || '.' || c.column_name order by c.table_name, c.column_name) as columns
    from privacy.recipients p join privacy.recipient_columns c using (recipient)
    where private.has_value(c.table_name, c.column_name, plan_outside.person) group by p.recipient, p.about
    union all
    select p.recipient, p.about, '["storage.objects"]' from privacy.recipients p where p.recipient = 'storage' and exists (select from private.files_of(plan_outside.person, 1))) x;
end;

create or replace function private.late_steps(e privacy.erasures) returns table (step jsonb, columns text[])
  language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select s.step, c.columns
  from (
    select distinct a.table_name from privacy.column_answers a
    where a.whose <> 'operational' and a.table_name not in ('audit.events', 'storage.objects') and (select k.relkind in ('r', 'p') from pg_catalog.pg_class k where k.oid = to_regclass(a.table_name))) t
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

create function privacy.try_outside(number text, recipient text) returns jsonb
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
  o privacy.erasure_outside;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.ledger is null then
    perform private.fail('NS005', 'it has not begun: they still need what they have', format('nestctl erasure show %s', number));
  end if;
  update privacy.erasure_outside x set tries = x.tries + 1, tried_at = clock_timestamp(), failure = null
  where x.erasure_id = e.id and x.recipient = try_outside.recipient and x.outcome is null returning x.* into o;
  if not found then
    return null;
  end if;
  return jsonb_build_object('erasure', e.id, 'handles', (
    select coalesce(jsonb_agg(jsonb_build_object('names', i.names, 'value', i.value) order by i.names, i.value), '[]') from privacy.erasure_identifiers i
    join privacy.recipients r on i.names = any (r.handles) where i.erasure_id = e.id and r.recipient = try_outside.recipient));
end $$;
comment on function privacy.try_outside(text, text) is
  'Puts down that somebody outside is asked now, and returns by what they know the person: [{names, value}]. Null where it is settled, or nothing to settle.';

create function privacy.outside_failed(number text, recipient text, failure text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  update privacy.erasure_outside x set failure = outside_failed.failure
  where x.erasure_id = e.id and x.recipient = outside_failed.recipient and x.outcome is null and x.tries > 0;
end $$;
comment on function privacy.outside_failed(text, text, text) is 'Puts down what kept the last try from being done, by its code.';

create function privacy.erasure_files(number text, wanted integer) returns table (bucket text, name text)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  e privacy.erasures;
begin
  perform private.require_request_duty();
  e := private.lock_erasure(number);
  if e.ledger is null then
    perform private.fail('NS005', 'it has not begun: they still need what they have', format('nestctl erasure show %s', number));
  end if;
  return query select f.bucket, f.name from private.files_of(e.person, least(wanted, 1000)) f;
end $$;
comment on function privacy.erasure_files(text, integer) is 'Files of a person who is erased that are still there: so many of them, 1000 at most.';

select privacy.declare_operational('privacy.recipients', 'handles', 'accountability', 'audit'),
  privacy.declare_operational('privacy.erasure_outside', 'tries tried_at failure', 'rights', 'audit');
select audit.attach('privacy.erasure_outside', 'modification', record => null);

revoke execute on all functions in schema privacy, private from public;
grant execute on function privacy.try_outside(text, text), privacy.outside_failed(text, text, text), privacy.erasure_files(text, integer) to nestsync_compliance;
