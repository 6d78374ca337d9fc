-- What every check of this folder looks at: put before each of them. Tables that store something, in every schema but
-- the system's, extensions', and those of the platform in which it keeps no rows about people.
with stored as (
  select c.oid, n.nspname || '.' || c.relname as name, n.nspname in ('auth', 'storage') as platform
  from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition
    and n.nspname !~ '^pg_'
    and n.nspname <> all ('{information_schema,realtime,_realtime,vault,extensions,graphql,graphql_public,pgbouncer,pgsodium,pgsodium_masks,cron,net,supabase_functions,supabase_migrations,pgmq,tiger,topology}')
    and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
stored_column as (
  select s.oid, s.name as table_name, s.platform, a.attname::text as column_name, a.attnum as number, a.attnotnull as not_null, a.attgenerated <> '' as generated,
    exists (select from pg_catalog.pg_index i where i.indrelid = s.oid and i.indisprimary and a.attnum = any (i.indkey)) as in_key
  from stored s
    join pg_catalog.pg_attribute a on a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped
),
foreign_key as (
  select k.oid, k.conname::text as name, s.name as table_name, k.confdeltype as on_delete, n.nspname || '.' || c.relname as to_table,
    array(select f.attname::text || '>' || t.attname from unnest(k.conkey, k.confkey) u (f, t)
      join pg_catalog.pg_attribute f on f.attrelid = k.conrelid and f.attnum = u.f
      join pg_catalog.pg_attribute t on t.attrelid = k.confrelid and t.attnum = u.t order by 1) as pairs
  from pg_catalog.pg_constraint k
    join stored s on s.oid = k.conrelid
    join pg_catalog.pg_class c on c.oid = k.confrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where k.contype = 'f' and k.conparentid = 0
),
answer as (select * from privacy.column_answers),
path as (
  select p.*, array(select ours || '>' || theirs from unnest(p.columns, p.to_columns) u (ours, theirs) order by 1) as pairs
  from privacy.paths p
)
