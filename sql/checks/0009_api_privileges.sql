-- The roles of the API have no privilege beyond rows of public: TRUNCATE knows no row security.
select 'api_privileges' as name, 'error' as level, c.oid::regclass::text as object,
  format('%s has %s on it', case a.grantee when 0 then 'everybody' else a.grantee::regrole::text end,
    string_agg(a.privilege_type, ', ' order by a.privilege_type)) as detail,
  format('revoke %s on %s from %s', string_agg(a.privilege_type, ', ' order by a.privilege_type), c.oid::regclass,
    case a.grantee when 0 then 'public' else a.grantee::regrole::text end) as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral pg_catalog.aclexplode(c.relacl) a
where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and c.relkind in ('r', 'p', 'v', 'm')
  and case coalesce((select r.rolname from pg_catalog.pg_roles r where r.oid = a.grantee), '')
    when '' then true
    when 'anon' then true
    when 'authenticated' then n.nspname <> 'public' or a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    when 'service_role' then n.nspname <> 'public' or a.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    else false
  end
group by c.oid, a.grantee
order by 3, 4
