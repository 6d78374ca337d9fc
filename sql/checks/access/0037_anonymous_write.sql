-- A policy lets somebody who never signed in write.
select 'warning' as level, 'pg_policy' as catalog, p.oid, p.label as object, 'anon may write under it, without having signed in' as detail,
  format('alter policy %s to authenticated', p.reference) as remedy
from policy p
where p.command in ('a', 'w', 'd', '*') and p.permissive and coalesce(p.check_condition, p.condition) !~ '^\(*false\)*$'
  and exists (select from exposure e where e.relation = p.relation and e.role_name = 'anon' and e.privilege in ('INSERT', 'UPDATE', 'DELETE'))
  and exists (select from api_role a where a.name = 'anon' and (a.oid = any (p.roles) or 0 = any (p.roles)))
