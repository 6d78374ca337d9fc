-- An API role can create objects in a schema that functions and statements look in.
select 'error' as level, 'pg_namespace' as catalog, s.oid, s.name as object,
  format('%s can create objects in it, which others then find by name', string_agg(a.name, ', ' order by a.name)) as detail,
  format('revoke create on schema %I from %s', s.name, string_agg(a.name, ', ' order by a.name)) as remedy
from scope_schema s
  join api_role a on pg_catalog.has_schema_privilege(a.oid, s.oid, 'CREATE')
group by s.oid, s.name
