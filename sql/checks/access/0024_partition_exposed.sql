-- A partition or child table is reached by its own name, where the policies of its parent do not apply.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s may %s by its own name, where the policies of %s do not apply', e.roles, e.privileges, i.inhparent::regclass) as detail,
  format('revoke all on %s from public, %s', r.name, e.roles) as remedy
from relation r
  join exposed e on e.relation = r.oid
  join pg_catalog.pg_inherits i on i.inhrelid = r.oid
where not r.secured
