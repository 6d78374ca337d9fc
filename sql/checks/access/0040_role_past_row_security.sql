-- An API role is not bound by row security, owns a table, or can become a role that is not bound.
select 'error' as level, 'pg_authid' as catalog, a.oid, a.name as object,
  case when a.unbound then 'row security does not bind it'
    when owned.name is not null then format('it owns %s, whose row security does not bind its owner', owned.name)
    else format('it can become %s, which row security does not bind', powerful.name) end as detail,
  case when a.unbound then format('alter role %I nobypassrls', a.name)
    when owned.name is not null then format('alter table %s force row level security', owned.name)
    else format('revoke %I from %I', powerful.name, a.name) end as remedy
from api_role a
  left join lateral (
    select r.name from relation r where r.owner = a.oid and r.kind in ('r', 'p') and not r.forced order by 1 limit 1) owned on true
  left join lateral (
    select p.rolname as name from pg_catalog.pg_roles p
    where a.oid <> 0 and p.oid <> a.oid and (p.rolsuper or p.rolbypassrls) and pg_catalog.pg_has_role(a.oid, p.oid, 'MEMBER') order by 1 limit 1) powerful on true
where a.oid <> 0 and (a.unbound or owned.name is not null or powerful.name is not null)
