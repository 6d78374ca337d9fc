-- Membership in a duty role and the register of duties say the same; a duty needs both.
with visible as (
  -- Row security shows operators their own lines only, but auditors, admins and the owner all.
  select pg_catalog.current_setting('role') in ('nestsync_auditor', 'nestsync_admin')
    or pg_catalog.pg_has_role(current_user, (select c.relowner from pg_catalog.pg_class c where c.oid = 'ops.operator_duties'::regclass), 'USAGE') as all_of_them
), members as (
  select l.rolname::text as login, substr(d.rolname, 10) as duty,
    -- Named among those who may connect to another database: the membership is needed there.
    exists (
      select from pg_catalog.pg_database b cross join lateral pg_catalog.aclexplode(b.datacl) a
      where b.datname <> pg_catalog.current_database() and a.grantee = l.oid and a.privilege_type = 'CONNECT') as elsewhere
  from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles d on d.oid = m.roleid
    join pg_catalog.pg_roles l on l.oid = m.member
  where d.rolname in ('nestsync_support', 'nestsync_compliance', 'nestsync_sre', 'nestsync_auditor', 'nestsync_admin')
    and l.rolcanlogin
    and l.oid <> (select s.nspowner from pg_catalog.pg_namespace s where s.nspname = 'ops')
), registered as (
  select d.login, d.duty
  from ops.operator_duties d join ops.operators o on o.login = d.login
  where d.revoked_at is null and o.revoked_at is null
)
select 'registered_duties' as name, 'unknown' as level, 'ops.operator_duties' as object,
  'seeing the duties of everybody takes the duty auditor or admin' as detail, 'nestctl doctor --duty admin' as remedy
from visible where not all_of_them
union all
select 'registered_duties', case when r.login is not null then 'error' when m.elsewhere then 'info' else 'warning' end, coalesce(m.login, r.login),
  case when r.login is null and m.elsewhere then format('is a member of nestsync_%s for another database of the cluster', m.duty)
    when r.login is null then format('is a member of nestsync_%s, but the duty is not registered', m.duty)
    else format('is registered for the duty %s, but is no member of nestsync_%s', r.duty, r.duty) end,
  case when r.login is null and m.elsewhere then null
    when r.login is null then format('revoke nestsync_%s from %I', m.duty, m.login)
    else format('grant nestsync_%s to %I', r.duty, r.login) end
from members m full join registered r on r.login = m.login and r.duty = m.duty
where (select all_of_them from visible) and (m.login is null or r.login is null)
order by 3, 4
