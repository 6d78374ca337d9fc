-- A role has a privilege on a secured table, and no policy lets it use it.
select 'info' as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s may %s, and no policy lets them', e.role_name, string_agg(e.privilege, ', ' order by e.privilege)) as detail,
  format('revoke %s on %s from %s', lower(string_agg(e.privilege, ', ' order by e.privilege)), r.name, e.role_name) as remedy
from relation r
  join exposure e on e.relation = r.oid
  join (values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')) c (privilege, letter) on c.privilege = e.privilege
where r.secured and exists (select from policy p where p.relation = r.oid)
  and not exists (
    select from policy p
    where p.relation = r.oid and p.permissive and p.command in (c.letter::"char", '*') and (e.role = any (p.roles) or 0 = any (p.roles)))
group by r.oid, r.name, e.role_name
