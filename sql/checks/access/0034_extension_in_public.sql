-- An extension's functions stand in a schema that API roles use.
select 'warning' as level, 'pg_extension' as catalog, e.oid, e.extname::text as object,
  format('its functions stand in %s, which API roles use', s.name) as detail,
  format('alter extension %I set schema extensions', e.extname) as remedy
from pg_catalog.pg_extension e
  join scope_schema s on s.oid = e.extnamespace
where s.name = 'public' and exists (select from api_role a where pg_catalog.has_schema_privilege(a.oid, s.oid, 'USAGE'))
