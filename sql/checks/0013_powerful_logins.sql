-- Who could go past all of this: superusers, logins that row security does not bind or that make roles, the owner and
-- those who can become it.
select 'powerful_logins' as name, 'info' as level, r.rolname::text as object,
  concat_ws(', ',
    case when r.rolsuper then 'superuser' end,
    case when r.rolbypassrls then 'not bound by row security' end,
    case when r.rolcreaterole then 'makes roles' end,
    case when r.oid = s.nspowner then 'owns the schema audit'
      when not r.rolsuper and pg_catalog.pg_has_role(r.oid, s.nspowner, 'MEMBER') then 'can become the owner of the schema audit' end,
    case when exists (select from pg_catalog.pg_auth_members m where m.member = r.oid and m.roleid::regrole::text like 'nestsync\_%')
      then 'holds a duty' end) as detail,
  null::text as remedy
from pg_catalog.pg_roles r
  left join pg_catalog.pg_namespace s on s.nspname = 'audit'
where r.rolcanlogin
  and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or pg_catalog.pg_has_role(r.oid, s.nspowner, 'MEMBER'))
order by 3
