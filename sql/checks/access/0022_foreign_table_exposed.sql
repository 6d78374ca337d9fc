-- A foreign table has no row security, and API roles reach it.
select 'warning' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s may %s on another server, and foreign tables have no row security', e.roles, e.privileges) as detail,
  format('revoke all on %s from public, %s', r.name, e.roles) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.kind = 'f'
