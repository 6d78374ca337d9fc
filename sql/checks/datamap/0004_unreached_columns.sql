-- Columns about somebody in a table that no path reaches from them: a request of theirs would not find it.
select 'error' as level, 'pg_class' as catalog, s.oid, s.name as object,
  format('no path leads from %s %s to %s', case when a.subject ~ '^[aeio]' then 'an' else 'a' end, a.subject, string_agg(a.column_name, ', ' order by a.column_name)) as detail,
  format('in a migration: select privacy.declare_path(%L, …, %L, …)', s.name, a.subject) as remedy
from answer a
  join stored s on s.name = a.table_name
where a.subject is not null
  and not exists (
    select from path p
    where p.table_name = a.table_name and p.subject = a.subject and privacy.path_condition(p.table_name, p.path) is not null)
group by s.oid, s.name, a.subject
