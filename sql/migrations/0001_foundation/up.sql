-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes

-- The migrator's own tables live in ops, so it is there already.
create schema if not exists ops;
create schema private;
create schema privacy;
comment on schema private is 'Helpers and materialized views; nothing here is exposed to anon or authenticated.';
comment on schema privacy is 'Requests, holds, consents and erasures of data subjects.';
comment on schema ops is 'Operators, access grants and what the console records about its own work.';

-- Supabase brings auth.uid() and its own grants: those are left alone. Elsewhere a compatible one is made.
do $$
begin
  if to_regprocedure('auth.uid()') is null then
    create schema auth;
    comment on schema auth is 'Made by nestctl: a stand-in where Supabase is absent.';
    create function auth.uid() returns uuid
      language sql stable parallel safe
      return nullif(
        coalesce(
          nullif(current_setting('request.jwt.claim.sub', true), ''),
          nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
        ), '')::uuid;
    grant usage on schema auth to anon, authenticated, service_role;
  end if;
end $$;

-- A constraint of a domain is checked on every table at once when it changes; these vocabularies do not.
-- squawk-ignore ban-create-domain-with-constraint
create domain private.province as text check (value in ('AB', 'BC', 'MB', 'NB', 'NL', 'NS', 'NT', 'NU', 'ON', 'PE', 'QC', 'SK', 'YT'));
-- squawk-ignore ban-create-domain-with-constraint
create domain private.postal_code as text check (value ~ '^[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] [0-9][ABCEGHJ-NPRSTV-Z][0-9]$');
-- squawk-ignore ban-create-domain-with-constraint
create domain private.cad as numeric(10, 2) check (value >= 0);
-- squawk-ignore ban-create-domain-with-constraint
create domain private.time_zone as text check (value is null or now() at time zone value is not null);
comment on domain private.province is 'Canadian province or territory, two letters.';
comment on domain private.postal_code is 'Canadian postal code, "A1A 1A1".';
comment on domain private.cad is 'Money in Canadian dollars, never negative.';
comment on domain private.time_zone is 'Name of a time zone that PostgreSQL knows.';

create table private.app_logins (
  login text primary key,
  registered_at timestamptz not null default now()
);
comment on table private.app_logins is
  'Logins whose sessions act for the person in the JWT claims (Supabase: authenticator). Nobody else''s claims are believed.';

create table ops.operators (
  login text primary key check (login ~ '^[^[:cntrl:]]{1,63}$'),
  display_name text not null,
  email text not null,
  registered_at timestamptz not null default now(),
  registered_by text not null default session_user,
  revoked_at timestamptz
);
comment on table ops.operators is 'Humans who may work through nestctl, one database login each.';

create table ops.operator_duties (
  login text not null references ops.operators (login),
  duty text not null check (duty in ('support', 'compliance', 'sre', 'auditor', 'admin')),
  granted_at timestamptz not null default now(),
  granted_by text not null default session_user,
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (login, duty),
  constraint operator_duties_auditor_expires check (duty <> 'auditor' or expires_at is not null),
  constraint operator_duties_time_order check (expires_at > granted_at)
);
comment on table ops.operator_duties is
  'Which duty an operator may take, until when. Membership in the role alone opens nothing.';

create function private.session_operator() returns text
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (select o.login from ops.operators o where o.login = session_user and o.revoked_at is null);
comment on function private.session_operator() is
  'The operator behind this session by session_user, which SET ROLE cannot change; null for everybody else.';

create function private.has_duty(login text, duty text) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return exists (
    select from ops.operator_duties d
      join ops.operators o on o.login = d.login
    where d.login = $1 and d.duty = $2 and o.revoked_at is null and d.revoked_at is null
      and (d.expires_at is null or d.expires_at > clock_timestamp())
  );
comment on function private.has_duty(text, text) is 'Whether an operator holds a duty at this moment.';

create function private.session_duty() returns text
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return (
    select d.duty from ops.operator_duties d
    where d.login = session_user
      and 'nestsync_' || d.duty = current_setting('role')
      and private.has_duty(d.login, d.duty)
  );
comment on function private.session_duty() is
  'The duty taken with SET ROLE by a registered operator who holds it; null otherwise. Reads the role setting, never current_user, which a definer function changes.';

create function private.fail(code text, message text, hint text default null) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if hint is null then
    raise exception using errcode = code, message = message;
  end if;
  raise exception using errcode = code, message = message, hint = hint;
end $$;
comment on function private.fail(text, text, text) is
  'Raises one of the console''s own errors: NS001 reason, NS002 grant, NS003 quota, NS004 duty, NS005 conflict, NS006 not found, NS007 input, NS008 waiting for an approval.';

create function private.refuse_truncate() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS004', format('TRUNCATE of %I.%I is refused: it would leave no audit event', tg_table_schema, tg_table_name),
    'Use DELETE, which is audited row by row.');
  return null;
end $$;

create function ops.register_app_login(login text) returns void
  language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  insert into private.app_logins (login) values ($1) on conflict do nothing;
end;
comment on function ops.register_app_login(text) is 'Owner only: sessions of this login act for the person in the JWT claims.';
revoke execute on function ops.register_app_login(text) from public;

-- Roles belong to the whole cluster and are granted by the owner, who made the duties. Since PostgreSQL 16 only
-- the grantor can take a membership back, so it should be the owner, whoever calls.
create function private.give_role(login text, role_name text) returns boolean
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from pg_catalog.pg_auth_members m
    where m.roleid = to_regrole(quote_ident(role_name)) and m.member = to_regrole(quote_ident(login))
  ) then
    execute format('grant %I to %I%s', role_name, login,
      case when current_setting('server_version_num')::integer >= 160000 then ' with inherit false' else '' end);
  end if;
  return true;
exception
  when insufficient_privilege then return false;
end $$;
comment on function private.give_role(text, text) is
  'Makes a login a member of a role without inheriting it; false where the owner has no right to.';

create function private.lock_operators() returns void
  language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
  select pg_advisory_xact_lock(hashtextextended('nestsync operators', 0));
end;
comment on function private.lock_operators() is
  'One change to operators at a time: two cannot each revoke the other one of two admins, nor both change who may connect, which PostgreSQL keeps in one row of pg_database and refuses to change twice at once.';

create function private.let_in(login text) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  execute format('grant connect on database %I to %I', current_database(), login);
exception
  when insufficient_privilege then null;
end $$;
comment on function private.let_in(text) is
  'Lets a login connect to this database by name. Other databases of the cluster read there that the login is needed here, and leave it on.';

create function ops.register_operator(login text, display_name text, email text, duties text[], auditor_until timestamptz default null)
  returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  missing text;
begin
  perform private.lock_operators();
  select string_agg(format('grant nestsync_%s to %I', d, login), '; ') into missing
  from unnest(duties) d
  where to_regrole(quote_ident(login)) is null or not private.give_role(login, 'nestsync_' || d);
  if missing is not null then
    perform private.fail('NS005', format('%s is not a member of every duty role it is to hold', login), missing);
  end if;
  perform private.let_in(login);
  -- Whoever comes back is new again: what a new operator may not do, they may not do for a day.
  insert into ops.operators as o (login, display_name, email) values (login, display_name, email)
    on conflict on constraint operators_pkey do update set display_name = excluded.display_name, email = excluded.email,
      registered_at = case when o.revoked_at is null then o.registered_at else now() end, revoked_at = null;
  insert into ops.operator_duties as h (login, duty, expires_at)
    select register_operator.login, d, case when d = 'auditor' then coalesce(auditor_until, now() + interval '90 days') end
    from unnest(duties) d
    on conflict on constraint operator_duties_pkey do update set revoked_at = null, expires_at = excluded.expires_at,
      granted_at = case when h.revoked_at is null and coalesce(h.expires_at > now(), true) then h.granted_at else now() end;
end $$;
comment on function ops.register_operator(text, text, text, text[], timestamptz) is
  'Owner only: names a login as an operator and gives it its duties. An auditor''s duty always expires.';
revoke execute on function ops.register_operator(text, text, text, text[], timestamptz) from public;

grant usage on schema ops to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
revoke execute on function private.fail(text, text, text), private.has_duty(text, text), private.session_duty(), private.session_operator(), private.refuse_truncate(),
  private.give_role(text, text), private.lock_operators(), private.let_in(text) from public;
grant execute on function private.session_duty() to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
grant execute on function private.session_operator() to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
