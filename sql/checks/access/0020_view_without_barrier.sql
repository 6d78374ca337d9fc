-- A view that hides rows with its owner's rights has no barrier: a function in the reader's WHERE can see them.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s can put a function of their own before its condition, and see the rows it hides', e.roles) as detail,
  format('alter view %s set (security_barrier = true)', r.name) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind = 'v' and pg_catalog.pg_get_viewdef(r.oid) ~* '\mwhere\M'
  and not exists (select from unnest(r.options) o where o ~* '^security_(invoker|barrier)=(true|on|yes|1)$')
