-- A materialized view has no row security, and API roles read it.
select 'warning' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s read it, and materialized views have no row security', e.roles) as detail,
  format('revoke all on %s from public, %s', r.name, e.roles) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind = 'm'
