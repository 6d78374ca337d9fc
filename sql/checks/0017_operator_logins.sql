-- Each operator has a login that is on and is no more than a person's; that of a revoked one is off.
with visible as (
  select pg_catalog.current_setting('role') in ('nestsync_auditor', 'nestsync_admin')
    or pg_catalog.pg_has_role(current_user, (select c.relowner from pg_catalog.pg_class c where c.oid = 'ops.operators'::regclass), 'USAGE') as all_of_them
), logins as (
  select o.login, o.revoked_at is not null as revoked, r.rolname is not null as there, coalesce(r.rolcanlogin, false) as enabled,
    concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end,
      case when r.rolcreaterole then 'createrole' end, case when r.rolreplication then 'replication' end) as powers,
    -- Named among those who may connect to another database: the login is needed there.
    exists (
      select from pg_catalog.pg_database d cross join lateral pg_catalog.aclexplode(d.datacl) a
      where d.datname <> pg_catalog.current_database() and a.grantee = r.oid and a.privilege_type = 'CONNECT') as elsewhere
  from ops.operators o left join pg_catalog.pg_roles r on r.rolname = o.login
)
select 'operator_logins' as name, 'unknown' as level, 'ops.operators' as object,
  'seeing every operator takes the duty auditor or admin' as detail, 'nestctl doctor --duty admin' as remedy
from visible where not all_of_them
union all
select 'operator_logins', case when revoked then 'warning' else 'error' end, login,
  case when revoked then 'is revoked, but the login is on'
    when not there then 'is an operator, but there is no such login'
    when not enabled then 'is an operator, but the login is off'
    else format('is an operator, but the login is more than a person''s: %s', powers) end,
  case when revoked then format('alter role %I nologin', login)
    when not there then format('create role %I login noinherit', login)
    when not enabled then format('alter role %I login', login)
    else format('alter role %I %s', login, regexp_replace(powers, '(\w+),?', 'no\1', 'g')) end
from logins
where (select all_of_them from visible)
  and case when revoked then enabled and not elsewhere else not enabled or powers <> '' end
order by 3, 4
