-- Row security that binds its owner needs a policy for the owner, or capture and definer functions see no rows.
select 'owner_policies' as name, 'error' as level, c.oid::regclass::text as object,
  format('no policy opens it to its owner %s', c.relowner::regrole) as detail,
  format('create policy %I on %s to %s using (true) with check (true)', c.relname || '_owner_all', c.oid::regclass, c.relowner::regrole) as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and c.relkind in ('r', 'p') and c.relforcerowsecurity
  and not exists (
    select from pg_catalog.pg_policy p
    where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive and c.relowner = any (p.polroles)
      and pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
      and coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true')
order by 3
