-- No function of ours is open to everybody.
select 'public_functions' as name, 'error' as level, p.oid::regprocedure::text as object,
  'everybody may execute it' || case when p.prosecdef then ', with the rights of its owner' else '' end as detail,
  format('revoke execute on routine %s from public', p.oid::regprocedure) as remedy
from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('private', 'audit', 'ops', 'privacy')
  and exists (
    select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    where a.grantee = 0 and a.privilege_type = 'EXECUTE')
order by 3
