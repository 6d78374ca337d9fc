-- Row security binds everybody but the table's owner, and the owner is no superuser whom nothing binds anyway.
select 'warning' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('row security does not bind its owner, %s', r.owner::regrole) as detail,
  format('alter table %s force row level security', r.name) as remedy
from relation r
  join pg_catalog.pg_roles o on o.oid = r.owner
where r.kind in ('r', 'p') and r.secured and not r.forced and not o.rolsuper and not o.rolbypassrls
