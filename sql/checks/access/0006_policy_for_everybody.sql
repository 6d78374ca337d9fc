-- A policy without TO is for every role there is or will be, and is evaluated for each of them.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object, 'it has no TO: it is for everybody' as detail,
  format('alter policy %s to …', p.reference) as remedy
from policy p
where 0 = any (p.roles)
