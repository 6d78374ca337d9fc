-- A foreign key that no path takes: rows beyond it are neither found for a person nor deleted in the right order.
select 'error' as level, 'pg_constraint' as catalog, k.oid, format('%s on %s', k.name, k.table_name) as object,
  format('no path goes from %s to %s', k.table_name, k.to_table) as detail,
  format('in a migration: select privacy.declare_path(%L, …, %L, %L, %L)', k.table_name,
    (select string_agg(split_part(p, '>', 1), ' ') from unnest(k.pairs) p), k.to_table, (select string_agg(split_part(p, '>', 2), ' ') from unnest(k.pairs) p)) as remedy
from foreign_key k
where not exists (select from path p where p.table_name = k.table_name and p.to_table = k.to_table and p.pairs = k.pairs)
