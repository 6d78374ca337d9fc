-- A foreign key points at a unique column of the platform's accounts instead of their id, which alone never changes.
select 'error' as level, 'pg_constraint' as catalog, k.oid, format('%s on %s', k.conname, r.name) as object,
  'it points at another column of auth.users than its id' as detail,
  format('alter table %s drop constraint %I', r.name, k.conname) as remedy
from pg_catalog.pg_constraint k
  join relation r on r.oid = k.conrelid
  join pg_catalog.pg_index i on i.indexrelid = k.conindid
  join pg_catalog.pg_class t on t.oid = k.confrelid and t.relname = 'users'
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace and n.nspname = 'auth'
where k.contype = 'f' and not i.indisprimary
