-- A view or materialized view that API roles read shows the platform's table of accounts.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object, format('%s read auth.users through it', e.roles) as detail,
  format('revoke all on %s from public, %s', r.name, e.roles) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind in ('v', 'm')
  and exists (
    select from pg_catalog.pg_rewrite w
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
      join pg_catalog.pg_class t on t.oid = d.refobjid and t.relname = 'users'
      join pg_catalog.pg_namespace n on n.oid = t.relnamespace and n.nspname = 'auth'
    where w.ev_class = r.oid)
