-- Capture names the columns of a table one by one: a table altered afterwards must be attached again.
select 'captured_columns' as name, 'error' as level, t.table_name::text as object,
  concat_ws('; ',
    'not captured: ' || (select string_agg(c, ', ') from unnest(now.columns) c where c <> all (t.columns)),
    'captured, but gone: ' || (select string_agg(c, ', ') from unnest(t.columns) c where c <> all (now.columns)),
    case when now.columns @> t.columns and t.columns @> now.columns then 'the columns stand in another order' end) as detail,
  format('select audit.attach(%L, …) with the arguments of its migration', t.table_name) as remedy
from audit.captured_tables t
  cross join lateral (
    select array_agg(a.attname::text order by a.attnum) as columns
    from pg_catalog.pg_attribute a where a.attrelid = t.table_name and a.attnum > 0 and not a.attisdropped
  ) now
where now.columns is distinct from t.columns
order by 3
