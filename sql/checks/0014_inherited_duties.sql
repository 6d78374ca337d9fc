-- A duty is taken with SET ROLE, one at a time. Who inherits it has its rights without having taken it.
select 'inherited_duties' as name, 'error' as level, r.rolname::text as object,
  'has the rights of ' || string_agg(d.rolname, ', ' order by d.rolname) || ' without taking on the duty' as detail,
  case when pg_catalog.current_setting('server_version_num')::integer >= 160000
    then string_agg(format('grant %I to %I with inherit false', d.rolname, r.rolname), '; ' order by d.rolname)
    else format('alter role %I noinherit', r.rolname) end as remedy
from pg_catalog.pg_roles r
  join pg_catalog.pg_roles d on d.rolname in ('nestsync_support', 'nestsync_compliance', 'nestsync_sre', 'nestsync_auditor', 'nestsync_admin')
where r.rolcanlogin and not r.rolsuper and r.oid <> d.oid
  -- The owner makes and grants the duties; it is listed among the powerful logins.
  and r.oid <> (select s.nspowner from pg_catalog.pg_namespace s where s.nspname = 'ops')
  and pg_catalog.pg_has_role(r.oid, d.oid, 'USAGE')
group by r.oid, r.rolname
order by 3
