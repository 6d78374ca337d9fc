-- A view that API roles read shows tables with its owner's rights, past the reader's row security.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s read it with the rights of its owner %s, past their own row security', e.roles, r.owner::regrole) as detail,
  format('alter view %s set (security_invoker = true)', r.name) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind = 'v'
  and not exists (select from unnest(r.options) o where o ~* '^security_invoker=(true|on|yes|1)$')
  and exists (
    select from pg_catalog.pg_rewrite w
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
      join pg_catalog.pg_class t on t.oid = d.refobjid
    where w.ev_class = r.oid and t.oid <> r.oid and (t.relrowsecurity or t.relkind in ('v', 'm', 'f')))
