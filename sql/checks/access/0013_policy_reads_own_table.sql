-- A policy reads the table that it protects: PostgreSQL answers "infinite recursion detected".
select 'error' as level, 'pg_policy' as catalog, p.oid, p.label as object,
  'it reads the table it protects: every statement ends in an infinite recursion' as detail,
  format('alter policy %s using (… a definer function that reads %s …)', p.reference, p.relation_name) as remedy
from policy p
-- pg_depend does not tell: it keeps the columns, which the policy may also take from its own row.
where coalesce(p.condition, '') || ' ; ' || coalesce(p.check_condition, '')
  ~ ('\m(FROM|JOIN) \(*(ONLY )?' || regexp_replace(p.relation_name, '([^a-zA-Z0-9_])', '\\\1', 'g') || '( |\)|$)')
