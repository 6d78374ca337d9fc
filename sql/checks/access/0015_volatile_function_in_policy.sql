-- A volatile function is called at every row, no index is used for it, and it may change data while others read.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  format('it calls %s, which is volatile', string_agg(distinct f.oid::regprocedure::text, ', ')) as detail,
  format('alter function %s stable', min(f.oid::regprocedure::text)) as remedy
from policy p
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_catalog.pg_proc'::regclass
  join pg_catalog.pg_proc f on f.oid = d.refobjid
where f.provolatile = 'v'
group by p.oid, p.label
