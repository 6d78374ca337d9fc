-- Every foreign key has an index that begins with its columns, else a delete reads the whole table.
select 'foreign_key_indexes' as name, 'warning' as level, c.conrelid::regclass::text as object,
  format('no index covers the foreign key %s', c.conname) as detail,
  format('create index concurrently on %s (%s)', c.conrelid::regclass,
    (select string_agg(quote_ident(a.attname), ', ' order by k.position)
     from unnest(c.conkey) with ordinality k (attnum, position)
       join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum)) as remedy
from pg_catalog.pg_constraint c
  join pg_catalog.pg_namespace n on n.oid = c.connamespace
where c.contype = 'f' and n.nspname in ('public', 'private', 'audit', 'ops', 'privacy')
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = c.conrelid and i.indisvalid
      -- Rows without the reference need no entry.
      and (i.indpred is null or pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\(?[a-z_]+ IS NOT NULL\)?$')
      and (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)
order by 3, 4
