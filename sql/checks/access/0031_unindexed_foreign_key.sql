-- No index serves a foreign key: deleting or joining from the other side reads the whole table.
select 'info' as level, 'pg_constraint' as catalog, k.oid, format('%s on %s', k.conname, r.name) as object,
  'no index begins with its columns' as detail,
  format('create index concurrently on %s (%s)', r.name, (
    select string_agg(quote_ident(a.attname), ', ' order by u.position) from unnest(k.conkey) with ordinality u (number, position)
      join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum = u.number)) as remedy
from pg_catalog.pg_constraint k
  join relation r on r.oid = k.conrelid
where k.contype = 'f' and k.conparentid = 0
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = r.oid and i.indisvalid and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
