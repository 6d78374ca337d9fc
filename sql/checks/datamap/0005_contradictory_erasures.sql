-- What erasure is to do and the table does not allow, or what two answers want at once.
select 'error' as level, 'pg_class' as catalog, f.oid, f.table_name as object, f.detail, null as remedy
from (
  select c.oid, c.table_name, format('%s is to name nobody, and is NOT NULL', c.column_name) as detail
  from stored_column c join answer a using (table_name, column_name)
  where a.erasure = 'sever' and c.not_null
  union all
  select c.oid, c.table_name, format('%s is to be anonymized to NULL, and is NOT NULL', c.column_name)
  from stored_column c join answer a using (table_name, column_name)
  where a.erasure = 'anonymize' and a.anonymized_as is null and c.not_null
  union all
  select c.oid, c.table_name, format('%s is to be changed, and is part of the key', c.column_name)
  from stored_column c join answer a using (table_name, column_name)
  where a.erasure in ('anonymize', 'sever') and c.in_key
  union all
  select c.oid, c.table_name, format('%s is to be changed, and is generated', c.column_name)
  from stored_column c join answer a using (table_name, column_name)
  where a.erasure in ('anonymize', 'sever') and c.generated
  union all
  select s.oid, s.name, format('rows are to be deleted, and %s kept in them', string_agg(a.column_name, ', ' order by a.column_name) filter (where a.erasure = 'keep'))
  from stored s join answer a on a.table_name = s.name
  group by s.oid, s.name
  having bool_or(a.erasure = 'delete') and bool_or(a.erasure = 'keep')
  union all
  select s.oid, s.name, format('for the %s rows are to be deleted, and %s anonymized in them', a.subject, string_agg(a.column_name, ', ' order by a.column_name) filter (where a.erasure = 'anonymize'))
  from stored s join answer a on a.table_name = s.name
  where a.subject is not null
  group by s.oid, s.name, a.subject
  having bool_or(a.erasure = 'delete') and bool_or(a.erasure = 'anonymize')
  union all
  select s.oid, s.name, format('rows are to stay, and %s those of %s are to be deleted (%s)',
    case k.on_delete when 'c' then 'go when' else 'stand in the way when' end, k.to_table, k.name)
  from foreign_key k join stored s on s.name = k.table_name
  where k.on_delete not in ('n', 'd')
    and exists (select from answer a where a.table_name = k.to_table and a.erasure = 'delete')
    and exists (select from answer a where a.table_name = k.table_name and a.erasure in ('keep', 'anonymize'))
    and not exists (select from answer a where a.table_name = k.table_name and a.erasure = 'delete')
) f
