-- Several permissive policies apply to one role and command: each is evaluated at every row, and the widest wins.
select 'warning' as level, 'pg_policy' as catalog, min(p.oid) as oid, p.relation_name as object,
  format('%s permissive policies apply to %s %s: %s', count(*), a.name, c.name, string_agg('"' || p.name || '"', ', ' order by p.name)) as detail,
  format('drop policy %I on %s', max(p.name), p.relation_name) as remedy
from policy p
  join api_role a on a.oid = any (p.roles) or 0 = any (p.roles)
  join (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete')) c (letter, name) on p.command in (c.letter, '*')
where p.permissive and a.oid <> 0
group by p.relation, p.relation_name, a.name, c.name
having count(*) > 1
