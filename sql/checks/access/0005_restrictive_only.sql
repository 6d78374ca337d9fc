-- Only restrictive policies apply to a role: they narrow what permissive ones give, and alone give nothing.
select 'warning' as level, 'pg_policy' as catalog, min(p.oid) as oid, p.relation_name as object,
  format('for %s only restrictive policies apply (%s): nobody gets a row', a.name, string_agg('"' || p.name || '"', ', ' order by p.name)) as detail,
  format('create policy … on %s for select to %I using (…)', p.relation_name, a.name) as remedy
from policy p
  join api_role a on a.oid = any (p.roles)
where exists (select from exposure e where e.relation = p.relation and e.role = a.oid)
  and not exists (select from policy q where q.relation = p.relation and q.permissive and (a.oid = any (q.roles) or 0 = any (q.roles)))
group by p.relation, p.relation_name, a.name
