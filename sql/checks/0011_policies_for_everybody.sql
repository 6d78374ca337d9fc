-- Every policy says for whom it is.
select 'policies_for_everybody' as name, 'error' as level, p.polrelid::regclass::text as object,
  format('the policy %s has no TO: it is for everybody', p.polname) as detail,
  format('alter policy %I on %s to …', p.polname, p.polrelid::regclass) as remedy
from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and 0 = any (p.polroles)
order by 3, 4
