-- A table has policies that do nothing, since row security is off.
select 'error' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s are written, and row security is off: they do nothing', string_agg('"' || p.name || '"', ', ' order by p.name)) as detail,
  format('alter table %s enable row level security, force row level security', r.name) as remedy
from relation r
  join policy p on p.relation = r.oid
where not r.secured
group by r.oid, r.name
