-- A trigger on a secured table runs with its owner's rights: what it writes elsewhere no policy sees.
select 'info' as level, 'pg_trigger' as catalog, t.oid, format('%s on %s', t.tgname, r.name) as object,
  format('%s can be called by %s outside of the trigger''s table', f.name, string_agg(a.name, ', ' order by a.name)) as detail,
  format('revoke execute on routine %s from public', f.name) as remedy
from pg_catalog.pg_trigger t
  join relation r on r.oid = t.tgrelid
  join routine f on f.oid = t.tgfoid
  join api_role a on a.oid = 0 and pg_catalog.has_function_privilege(a.oid, f.oid, 'EXECUTE')
where not t.tgisinternal and r.secured and f.definer
group by t.oid, t.tgname, r.name, f.name
