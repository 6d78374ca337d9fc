-- Default privileges give API roles every table, partition, or function that is made later.
select 'warning' as level, 'pg_default_acl' as catalog, d.oid, coalesce(n.nspname::text, 'every schema') as object,
  format('whatever %s makes later, %s may %s', d.defaclrole::regrole, g.name, string_agg(distinct x.privilege_type, ', ')) as detail,
  format('alter default privileges for role %s %srevoke all on %s from %s', d.defaclrole::regrole, 'in schema ' || quote_ident(n.nspname) || ' ',
    case d.defaclobjtype when 'r' then 'tables' when 'f' then 'functions' else 'sequences' end, g.name) as remedy
from pg_catalog.pg_default_acl d
  left join pg_catalog.pg_namespace n on n.oid = d.defaclnamespace
  cross join lateral pg_catalog.aclexplode(d.defaclacl) x
  join api_role g on g.oid = x.grantee
where d.defaclobjtype in ('r', 'f') and (d.defaclobjtype = 'r' or g.oid <> 0)
  and (n.oid is null or n.oid in (select oid from scope_schema))
group by d.oid, n.nspname, d.defaclrole, d.defaclobjtype, g.name
