-- A table has no primary key: its rows cannot be named, audited or replicated.
select 'info' as level, 'pg_class' as catalog, r.oid, r.name as object, 'it has no primary key' as detail,
  format('alter table %s add primary key (…)', r.name) as remedy
from relation r
where r.kind in ('r', 'p') and not r.is_partition
  and not exists (select from pg_catalog.pg_index i where i.indrelid = r.oid and i.indisprimary)
