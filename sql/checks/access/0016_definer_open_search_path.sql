-- A function with its owner's rights finds tables and types where its caller says, or in temporary objects first.
select 'error' as level, 'pg_proc' as catalog, f.oid, f.name as object,
  case when path.setting is null then 'it runs with its owner''s rights and its caller''s search path'
    when path.setting !~ 'pg_temp"?$' then 'it runs with its owner''s rights and looks among its caller''s temporary objects first: ' || path.setting
    else 'its search path holds a schema where others may create: ' || path.setting end as detail,
  format('alter routine %s set search_path = pg_catalog, pg_temp', f.name) as remedy
from routine f
  left join lateral (select s as setting from unnest(f.settings) s where s like 'search\_path=%') path on true
where f.definer and not f.parsed
  and (path.setting is null
    or path.setting !~ 'pg_temp"?$'
    or exists (
      select from regexp_split_to_table(replace(substr(path.setting, 13), '"', ''), ',\s*') part
        join pg_catalog.pg_namespace n on n.nspname = part and part <> 'pg_temp'
        join api_role a on pg_catalog.has_schema_privilege(a.oid, n.oid, 'CREATE')))
