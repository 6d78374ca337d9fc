-- Two policies of a table say the same: one of them is forgotten when the other is mended.
select 'warning' as level, 'pg_policy' as catalog, max(p.oid) as oid, p.relation_name as object,
  format('%s say the same', string_agg('"' || p.name || '"', ' and ' order by p.name)) as detail,
  format('drop policy %I on %s', max(p.name), p.relation_name) as remedy
from policy p
group by p.relation, p.relation_name, p.command, p.permissive, p.roles, p.condition, p.check_condition
having count(*) > 1
