-- A function called leakproof runs before the policies, on rows that they would hide.
select 'warning' as level, 'pg_proc' as catalog, f.oid, f.name as object, 'it is declared leakproof: it runs before policies, on every row' as detail,
  format('alter function %s not leakproof', f.name) as remedy
from routine f
where f.leakproof
