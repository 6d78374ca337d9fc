-- kind: schema
-- locks: SHARE on users and family_invitations, while their new indexes are built
-- transaction: yes
-- reversible: yes, where nobody was ever diagnosed
-- seeds: audit.captured_tables

-- Support must find out why a person cannot see a family, table or no table. The question is recorded first and
-- answered only from a later transaction, so no rollback hides it. Of what no grant covers the answer holds what the
-- complaint needs to be mended and no more: ids, and names and addresses masked as the directory masks them.
create table ops.access_diagnoses (
  id uuid primary key default gen_random_uuid(),
  operator text not null default session_user references ops.operators (login),
  duty text not null,
  person uuid not null,
  family_id uuid,
  permissions text[] not null,
  child text,
  asked_at timestamptz not null default clock_timestamp(),
  asked_xid xid8 not null default pg_current_xact_id(),
  constraint access_diagnoses_permissions check (cardinality(permissions) between 1 and 50)
);
comment on table ops.access_diagnoses is
  'Every diagnosis of a complaint: who asked, about whom, in which family, what the person expects to be permitted, and the child they look for.';
create index access_diagnoses_operator_idx on ops.access_diagnoses (operator, asked_at desc);
create index access_diagnoses_person_idx on ops.access_diagnoses (person, asked_at desc);

create trigger access_diagnoses_stamp before insert on ops.access_diagnoses
  for each row execute function private.stamp_explanation();
create trigger access_diagnoses_append_only before update or delete on ops.access_diagnoses
  for each row execute function private.refuse_delete();
create trigger access_diagnoses_no_truncate before truncate on ops.access_diagnoses
  execute function private.refuse_truncate();

-- An address as one mailbox may be spelled: case, Unicode form, dots and a +tag of its local part aside. Out of
-- built-in functions, since whoever writes a row evaluates it with their own rights.
-- squawk-ignore require-concurrent-index-creation
create index users_mailbox_idx on public.users
  (regexp_replace(lower(normalize(email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g'));
-- squawk-ignore require-concurrent-index-creation
create index family_invitations_mailbox_idx on public.family_invitations
  (regexp_replace(lower(normalize(email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g'));
-- squawk-ignore require-concurrent-index-creation
create index users_phone_idx on public.users (phone_number) where phone_verified_at is not null;

-- Diagnosing evaluates the helper of the policies as the person too.
create or replace function private.explained_person() returns uuid
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select q.person from (
      select e.id, e.person, e.operator, e.duty, e.asked_at, e.asked_xid from ops.access_explanations e
      union all
      select d.id, d.person, d.operator, d.duty, d.asked_at, d.asked_xid from ops.access_diagnoses d) q
    where q.id = nullif(current_setting('nestsync.explaining', true), '')::uuid
      and q.operator = session_user
      and q.duty = private.session_duty()
      and q.asked_at > clock_timestamp() - interval '2 minutes'
      and q.asked_xid is distinct from pg_current_xact_id_if_assigned()
      and current_setting('transaction_read_only') = 'on');
comment on function private.explained_person() is
  'The person whose access ops.explain or ops.diagnose evaluates in this transaction. Naming one by hand opens nothing: it counts only under a duty, in a read-only transaction, and no duty may call what policies of members call.';

create function ops.ask_diagnosis(person uuid, family_id uuid, permissions text[], child text default null) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  strange text;
  v_id uuid;
begin
  if coalesce(private.session_duty(), '') not in ('support', 'compliance', 'admin') then
    perform private.fail('NS004', 'access is diagnosed under the duty support, compliance or admin');
  end if;
  if not private.in_granted_scope('person', person) then
    perform private.fail('NS002', format('no live access grant of yours covers person %s', person),
      format('nestctl access open --user %s --reason ''…'' --ticket …', person));
  end if;
  if family_id is not null and not private.in_granted_scope('family', family_id) then
    perform private.fail('NS002', format('no live access grant of yours covers family %s', family_id),
      format('nestctl access open --family %s --reason ''…'' --ticket …', family_id));
  end if;
  select p into strange from unnest(permissions) p
  where not exists (select from public.role_permissions r where r.permission = p);
  if strange is not null then
    perform private.fail('NS007', format('there is no permission %s', strange));
  end if;
  insert into ops.access_diagnoses (duty, person, family_id, permissions, child)
  values ('', ask_diagnosis.person, ask_diagnosis.family_id, ask_diagnosis.permissions, nullif(btrim(ask_diagnosis.child), '')) returning id into v_id;
  return v_id;
end $$;
comment on function ops.ask_diagnosis(uuid, uuid, text[], text) is
  'Records the question why a person lacks permissions, in one family or in any of theirs, and returns its id. Commit, then read the answer with ops.diagnose.';

-- A family as far as the complaint needs it: its name whole only where a grant covers it.
create function private.diagnosed_family(family uuid, person uuid, permissions text[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select facts || jsonb_build_object('granted', granted,
      'family', facts -> 'family' || jsonb_build_object('name', case when granted then f.name else private.mask_name(f.name) end))
    from public.families f,
      lateral (select private.in_granted_scope('family', f.id) as granted, private.membership_facts(f.id, person, permissions) as facts) k
    where f.id = family);

create function private.diagnosed_invitations(family uuid, person public.users, mailbox text) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'role', i.role, 'status', i.state, 'expires_at', i.expires_at, 'created_at', i.created_at,
        'email', case when i.granted or i.exact then i.email else private.mask_email(i.email) end, 'exact', i.exact, 'same_mailbox', i.same,
        'special', i.granted_permissions <> '{}' or i.denied_permissions <> '{}',
        'taken', exists (select from public.users o where lower(o.email) = lower(i.email) and o.id <> person.id))
      order by i.exact desc, i.same desc, i.state = 'pending' desc, i.created_at desc), '[]')
    from (
      select a.*, lower(a.email) = lower(person.email) as exact, k.same, k.granted,
        case when a.status = 'pending' and a.expires_at <= clock_timestamp() then 'expired' else a.status end as state
      from public.family_invitations a,
        lateral (select regexp_replace(lower(normalize(a.email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g') = mailbox as same,
          private.in_granted_scope('family', a.family_id) as granted) k
      where a.family_id = family and (k.same or (k.granted and a.status <> 'accepted'))
      order by k.same desc, a.created_at desc limit 50) i);

-- What an institution sees of the log: rows of the current day in the family's zone.
create function private.diagnosed_logs(family uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select jsonb_build_object(
      'today', (now() at time zone f.timezone)::date,
      'today_begins', date_trunc('day', now() at time zone f.timezone) at time zone f.timezone,
      'last', (select l.logged_at from public.usage_logs l where l.family_id = f.id order by l.logged_at desc limit 1),
      'last_day', (select (l.logged_at at time zone f.timezone)::date from public.usage_logs l where l.family_id = f.id order by l.logged_at desc limit 1))
    from public.families f where f.id = family);

-- Other accounts that may be the same person's: one mailbox, one verified phone, or the invitation to this address
-- accepted with another account. A name alone says nothing: people are called alike.
create function private.diagnosed_accounts(person public.users, mailbox text, only_family uuid, permissions text[]) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'email', private.mask_email(o.email), 'status', o.status,
        'verified', o.email_verified_at is not null, 'last_login_at', o.last_login_at, 'shares', s.shares,
        'memberships', (select count(*) from public.family_members m where m.user_id = o.id and m.status <> 'removed'),
        'both_members', exists (select from public.family_members m join public.family_members n on n.family_id = m.family_id and n.user_id = person.id
          where m.user_id = o.id and m.status <> 'removed' and n.status <> 'removed'),
        'families', (select coalesce(jsonb_agg(private.diagnosed_family(t.family_id, o.id, permissions)
            || jsonb_build_object('own_status', (select n.status from public.family_members n where n.family_id = t.family_id and n.user_id = person.id))
            order by t.family_id), '[]')
          from (select m.family_id from public.family_members m
            where m.user_id = o.id and m.status <> 'removed' and (only_family is null or m.family_id = only_family)
            order by m.updated_at desc limit 10) t)) order by o.last_login_at desc nulls last, o.id), '[]')
    from (
      select c.id, array_agg(distinct c.by order by c.by) as shares
      from (
        (select u.id, 'mailbox' as by from public.users u
          where regexp_replace(lower(normalize(u.email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g') = mailbox limit 10)
        union all
        (select u.id, 'phone' from public.users u
          where u.phone_number = person.phone_number and u.phone_verified_at is not null and person.phone_verified_at is not null limit 10)
        union all
        (select i.accepted_by, 'invitation' from public.family_invitations i
          where lower(i.email) = lower(person.email) and i.accepted_by is not null limit 10)) c
      where c.id <> person.id
      group by c.id order by c.id limit 5) s
    join public.users o on o.id = s.id and o.deleted_at is null);

-- A child that the person looks for may stand in another family of those who look after theirs.
create function private.diagnosed_children(families uuid[], person uuid, child text) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select coalesce(jsonb_agg(jsonb_build_object('family_id', g.id, 'granted', g.granted, 'children', g.children, 'beside', g.beside,
        'name', case when g.granted then g.name else private.mask_name(g.name) end, 'own_status', g.own_status) order by g.id), '[]')
    from (
      select f.id, f.name, private.in_granted_scope('family', f.id) as granted, min(core.family_id::text) as beside,
        (select n.status from public.family_members n where n.family_id = f.id and n.user_id = person) as own_status,
        (select count(*) from public.children c where c.family_id = f.id and c.deleted_at is null) as children
      from public.family_members own
        join public.family_members core on core.family_id = own.family_id and core.role = 'family_core' and core.status = 'active' and core.user_id <> person
        join public.family_members also on also.user_id = core.user_id and also.family_id <> own.family_id and also.role = 'family_core' and also.status = 'active'
        join public.families f on f.id = also.family_id and f.archived_at is null
      where own.user_id = person and own.status = 'active' and own.family_id = any (families)
        and not exists (
          select from public.children c where c.family_id = own.family_id and c.deleted_at is null
            and (child is null or lower(normalize(c.name, NFKC)) = lower(normalize(child, NFKC))))
        and exists (
          select from public.children c where c.family_id = f.id and c.deleted_at is null
            and (child is null or lower(normalize(c.name, NFKC)) = lower(normalize(child, NFKC))))
        and not exists (select from public.family_members n where n.family_id = f.id and n.user_id = person and n.status <> 'removed')
      group by f.id order by f.id limit 5) g);

-- Whether a consent without which the app shows nothing of this was withdrawn and not given again. Which and when
-- is not support's to know.
create function private.consent_missing(person uuid, permissions text[]) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return exists (
    select from (
      select distinct on (c.consent_type) c.status from public.consent_records c
      where c.user_id = person
        and (c.consent_type in ('privacy_policy', 'terms_of_service', 'child_data')
          or (c.consent_type = 'emergency_data' and exists (select from unnest(permissions) p where p like 'emergency:%'))
          or (c.consent_type = 'analytics' and exists (select from unnest(permissions) p where p like 'analytics:%' or p like 'events:%')))
      order by c.consent_type, coalesce(c.withdrawn_at, c.granted_at, c.created_at) desc, c.created_at desc) latest
    where latest.status = 'withdrawn');

-- Whether the policies, and the right itself, let members read a row, evaluated as the person being explained.
create function private.lets_read(t regclass, row_text text) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return (
    select has_table_privilege('authenticated', t, 'select') and (not c.relrowsecurity or (
      select coalesce(bool_or(p.holds) filter (where p.polpermissive), false) and coalesce(bool_and(p.holds) filter (where not p.polpermissive), true)
      from (
        select q.polpermissive, (private.truths(t, row_text, array[pg_get_expr(q.polqual, q.polrelid)]))[1] = 'true' as holds
        from pg_catalog.pg_policy q
        where q.polrelid = t and q.polcmd in ('r', '*')
          and exists (select from unnest(q.polroles) g where g = 0 or pg_has_role('authenticated', g, 'usage'))) p))
    from pg_catalog.pg_class c where c.oid = t);

-- The newest child and log of a family, and whether the person may read them: no value of theirs leaves.
create function private.diagnosed_samples(family uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
  return jsonb_build_object(
    'children', (select jsonb_build_object('id', s.id, 'readable', private.lets_read('public.children'::regclass, s.row_text))
      from (select c.id, c::text as row_text from public.children c
        where c.family_id = family and c.deleted_at is null order by c.date_of_birth desc limit 1) s),
    'usage_logs', (select jsonb_build_object('id', s.id, 'readable', private.lets_read('public.usage_logs'::regclass, s.row_text))
      from (select l.id, l::text as row_text from public.usage_logs l
        where l.family_id = family and l.logged_at <= now() order by l.logged_at desc limit 1) s));

create function ops.diagnose(diagnosis uuid) returns jsonb
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  claims text := current_setting('request.jwt.claims', true);
  subject text := current_setting('request.jwt.claim.sub', true);
  d ops.access_diagnoses;
  u public.users;
  mailbox text;
  families uuid[];
  decided jsonb;
  samples jsonb;
begin
  if current_setting('transaction_read_only') <> 'on' then
    perform private.fail('NS005', 'access is diagnosed in a read-only transaction');
  end if;
  select a.* into d from ops.access_diagnoses a
  where a.id = diagnosis and a.operator = session_user and a.duty = private.session_duty()
    and a.asked_at > clock_timestamp() - interval '2 minutes'
    and a.asked_xid is distinct from pg_current_xact_id_if_assigned();
  if d.id is null or not private.in_granted_scope('person', d.person)
    or (d.family_id is not null and not private.in_granted_scope('family', d.family_id)) then
    perform private.fail('NS002', 'no committed question of yours answers to this id', 'Record it with ops.ask_diagnosis and commit before reading.');
  end if;
  select a.* into u from public.users a where a.id = d.person;
  mailbox := regexp_replace(lower(normalize(u.email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g');
  if d.family_id is not null then
    families := array[d.family_id];
  else
    families := array(
      select near.family_id from (
        select m.family_id, m.updated_at as at from public.family_members m where m.user_id = u.id
        union all
        (select i.family_id, i.updated_at from public.family_invitations i
          where regexp_replace(lower(normalize(i.email, NFKC)), '\+[^@]*(?=@)|\.(?=[^@]*@)', '', 'g') = mailbox and i.status <> 'accepted'
          order by i.updated_at desc limit 50)) near
      group by near.family_id order by max(near.at) desc limit 25);
  end if;
  -- The policies' own helper, asked as the person. Whatever fails undoes these with its transaction.
  perform set_config('nestsync.explaining', d.id::text, true), set_config('request.jwt.claim.sub', '', true),
    set_config('request.jwt.claims', jsonb_build_object('sub', u.id, 'role', 'authenticated')::text, true);
  select jsonb_object_agg(p, to_jsonb(array(
    select f from unnest(private.member_families(p, 'all own today today_own self')) f where f = any (families)))) into decided
  from unnest(d.permissions) p;
  select jsonb_object_agg(f, private.diagnosed_samples(f)) into samples
  from unnest(families[1:3]) f where private.in_granted_scope('family', f);
  perform set_config('nestsync.explaining', '', true), set_config('request.jwt.claims', coalesce(claims, ''), true),
    set_config('request.jwt.claim.sub', coalesce(subject, ''), true);

  return jsonb_build_object(
    'now', clock_timestamp(),
    'person', jsonb_build_object('id', u.id, 'email', u.email, 'status', u.status, 'verified', u.email_verified_at is not null,
      'mail_waiting', exists (select from public.notification_logs n where n.user_id = u.id and n.notification_type = 'email_verification'
        and n.delivery_status = 'pending'),
      'locked_until', case when u.locked_until > clock_timestamp() then u.locked_until end, 'changed_at', u.updated_at,
      'deletion_requested_at', u.data_deletion_requested_at),
    'consent_missing', private.consent_missing(u.id, d.permissions),
    'decided', decided,
    'families', (select coalesce(jsonb_agg(private.diagnosed_family(f, u.id, d.permissions)
        || jsonb_build_object('changed_at', (select m.updated_at from public.family_members m where m.family_id = f and m.user_id = u.id),
          'children', (select count(*) from public.children c where c.family_id = f and c.deleted_at is null),
          'samples', samples -> f::text,
          'others', (select count(*) from public.family_members m where m.family_id = f and m.user_id <> u.id and m.status = 'active'),
          'logs', case when exists (select from public.family_members m where m.family_id = f and m.user_id = u.id and m.role = 'institutional')
            then private.diagnosed_logs(f) end,
          'invitations', private.diagnosed_invitations(f, u, mailbox)) order by o), '[]')
      from unnest(families) with ordinality w (f, o)),
    'accounts', private.diagnosed_accounts(u, mailbox, d.family_id, d.permissions),
    'elsewhere', private.diagnosed_children(families, u.id, d.child));
end $$;
comment on function ops.diagnose(uuid) is
  'Answers a committed question: facts of the account, of the families in question with the membership and its invitations, of other accounts that may be the same person''s, and in which families the policies'' helper grants each permission. What no grant covers is masked.';

alter table ops.access_diagnoses enable row level security;
alter table ops.access_diagnoses force row level security;
create policy access_diagnoses_owner_all on ops.access_diagnoses to current_user using (true) with check (true);
create policy access_diagnoses_self_select on ops.access_diagnoses for select
  to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));
grant select on ops.access_diagnoses to nestsync_support, nestsync_compliance, nestsync_auditor, nestsync_admin;

select audit.attach('ops.access_diagnoses', 'access', family => 'family_id', person => 'person');

revoke execute on all functions in schema private, ops, audit from public;
grant execute on function ops.ask_diagnosis(uuid, uuid, text[], text), ops.diagnose(uuid)
  to nestsync_support, nestsync_compliance, nestsync_admin;
