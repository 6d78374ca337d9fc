-- Two indexes are the same: each write pays for both.
select 'warning' as level, 'pg_class' as catalog, max(i.indexrelid) as oid, r.name as object,
  format('%s are the same', string_agg(i.indexrelid::regclass::text, ' and ' order by i.indexrelid)) as detail,
  format('drop index concurrently %s', max(i.indexrelid)::regclass) as remedy
from pg_catalog.pg_index i
  join relation r on r.oid = i.indrelid
group by r.oid, r.name, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text, i.indisunique,
  pg_catalog.pg_get_expr(i.indexprs, i.indrelid), pg_catalog.pg_get_expr(i.indpred, i.indrelid)
having count(*) > 1
