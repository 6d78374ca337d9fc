-- A function that policies or triggers rely on finds what it names where its caller says.
select 'warning' as level, 'pg_proc' as catalog, f.oid, f.name as object,
  'it is used by policies or triggers, and its search path is its caller''s' as detail,
  format('alter routine %s set search_path = pg_catalog, pg_temp', f.name) as remedy
from routine f
where not f.definer and not f.parsed
  and not exists (select from unnest(f.settings) s where s like 'search\_path=%')
  and exists (
    select from pg_catalog.pg_depend d
    where d.refclassid = 'pg_catalog.pg_proc'::regclass and d.refobjid = f.oid
      and d.classid in ('pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_trigger'::regclass))
