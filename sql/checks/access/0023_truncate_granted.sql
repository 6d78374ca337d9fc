-- TRUNCATE asks no policy and fires no row trigger; REFERENCES and TRIGGER let a role learn or run things.
select case when 'TRUNCATE' = any (e.privileges) then 'error' else 'warning' end as level, 'pg_class' as catalog, r.oid, r.name as object,
  format('%s may %s, which row security does not cover', array_to_string(e.roles, ', '), array_to_string(e.privileges, ', ')) as detail,
  format('revoke %s on %s from %s', lower(array_to_string(e.privileges, ', ')), r.name, array_to_string(e.roles, ', ')) as remedy
from relation r
  join lateral (
    select array_agg(distinct x.role_name order by x.role_name) as roles, array_agg(distinct x.privilege order by x.privilege) as privileges
    from exposure x where x.relation = r.oid and x.privilege in ('TRUNCATE', 'REFERENCES', 'TRIGGER')) e on e.roles is not null
where r.kind in ('r', 'p')
