-- A policy asks nothing of the row: whoever passes has every row of the table.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it asks nothing of the row: whoever passes it has all of them' as detail,
  format('alter policy %s using (…)', p.reference) as remedy
from policy p
where p.for_api and p.permissive
  and coalesce(p.condition, p.check_condition) !~ '^\(*(true|false)\)*$'
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_catalog.pg_class'::regclass
      and d.refobjid = p.relation and d.refobjsubid > 0)
