-- A function with its owner's rights looks in pg_catalog, and among temporary objects last. With an empty search path
-- temporary types come first, and the check of a domain named uuid would run as the owner.
select 'definer_search_path' as name, 'error' as level, p.oid::regprocedure::text as object,
  coalesce('it runs as its owner with ' || (select s from unnest(p.proconfig) s where s like 'search\_path=%'),
    'it runs as its owner with the search path of its caller') as detail,
  format('alter routine %s set search_path = pg_catalog, pg_temp', p.oid::regprocedure) as remedy
from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and p.prosecdef
  and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
  and coalesce('search_path=pg_catalog, pg_temp' <> all (p.proconfig), true)
order by 3
