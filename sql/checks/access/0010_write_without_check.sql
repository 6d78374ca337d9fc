-- A policy for updates says which rows may be changed, and not what they may become: USING stands in silently.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it has no WITH CHECK: what a row may become is not said' as detail,
  format('alter policy %s with check (%s)', p.reference, p.condition) as remedy
from policy p
where p.command in ('w', '*') and p.check_condition is null
