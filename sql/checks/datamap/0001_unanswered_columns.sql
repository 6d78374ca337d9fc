-- A column that does not answer whose it is and what becomes of it: neither export nor erasure would know of it.
select 'error' as level, 'pg_class' as catalog, c.oid, c.table_name as object,
  case when count(*) = (select count(*) from stored_column o where o.oid = c.oid) then 'none of its columns answers' else
    format('%s not answered for', case when count(*) = 1 then 'a column is' else 'columns are' end) end
    || ': ' || string_agg(c.column_name, ', ' order by c.number) as detail,
  format('in a migration: select privacy.declare(%L, %L, …)', c.table_name, string_agg(c.column_name, ' ' order by c.number)) as remedy
from stored_column c
where not exists (
  select from answer a
  where a.table_name = c.table_name and (a.column_name = c.column_name or c.platform and a.column_name = '*'))
group by c.oid, c.table_name
