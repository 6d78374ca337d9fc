-- A table is secured, API roles have privileges on it, and no policy ever lets a row through: a grant without use.
select 'info' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s may %s, and no policy exists: nobody gets a row', e.roles, e.privileges) as detail,
  format('revoke all on %s from %s', r.name, e.roles) as remedy
from relation r
  join exposed e on e.relation = r.oid
where r.secured and not exists (select from policy p where p.relation = r.oid)
