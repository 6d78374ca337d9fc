-- An answer, path or subject that names a table or column which is not there: whoever relies on it does nothing, silently.
select 'error' as level, 'pg_class' as catalog, 0::oid as oid, n.table_name as object,
  n.what || ' names ' || case when exists (select from stored s where s.name = n.table_name) then 'what is gone: ' || string_agg(n.column_name, ', ' order by n.column_name)
    else 'a table that is gone' end as detail,
  case when n.what = 'an answer' then format('in a migration: select privacy.undeclare(%L, %L)', n.table_name, string_agg(n.column_name, ' ' order by n.column_name))
    else 'in a migration: declare it again' end as remedy
from (
  select 'an answer' as what, a.table_name, a.column_name from answer a where a.column_name <> '*'
  union all
  select format('path %s of %s', p.path, p.table_name), p.table_name, c from path p, unnest(p.columns) c
  union all
  select format('path %s of %s', p.path, p.table_name), p.to_table, c from path p, unnest(p.to_columns) c
  union all
  select format('subject %s', s.subject), s.root_table, c from privacy.subjects s, unnest(s.root_columns) c) n
where not exists (select from stored_column c where c.table_name = n.table_name and c.column_name = n.column_name)
  -- Which of its tables and columns the platform has depends on its version.
  and n.table_name !~ '^(auth|storage)\.'
group by n.what, n.table_name
