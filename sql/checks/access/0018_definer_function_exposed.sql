-- An API role can call a function that runs with its owner's rights, past row security.
select 'warning' as level, 'pg_proc' as catalog, f.oid, f.name as object,
  format('%s can call it, and it runs with the rights of %s', string_agg(a.name, ', ' order by a.name), f.owner::regrole) as detail,
  format('revoke execute on routine %s from public, %s', f.name, string_agg(quote_ident(a.name), ', ' order by a.name) filter (where a.oid <> 0)) as remedy
from routine f
  join api_role a on pg_catalog.has_schema_privilege(a.oid, f.schema_oid, 'USAGE') and pg_catalog.has_function_privilege(a.oid, f.oid, 'EXECUTE')
where f.definer and f.returns not in ('trigger'::regtype, 'event_trigger'::regtype)
group by f.oid, f.name, f.owner
having count(*) filter (where a.oid <> 0) > 0
