-- Every table of public, and every other that was attached, has its audit triggers, enabled.
select 'audit_triggers' as name, 'error' as level, c.oid::regclass::text as object,
  'changes leave no audit event: ' || string_agg(wanted || case when g.oid is null then ' is missing' else ' is switched off' end, ', ' order by wanted) as detail,
  case when count(g.oid) = count(*) then format('alter table %s enable trigger user', c.oid::regclass)
    else format('select audit.attach(%L, …) with the arguments of its migration', c.oid::regclass) end as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join unnest(array['audit_insert', 'audit_update', 'audit_delete', 'truncate']) wanted
  left join lateral (
    select g.oid, g.tgenabled from pg_catalog.pg_trigger g
    where g.tgrelid = c.oid and not g.tgisinternal
      and case wanted when 'truncate' then g.tgtype & 32 <> 0 else g.tgname = wanted end
    order by g.tgenabled desc limit 1
  ) g on true
where c.relkind in ('r', 'p') and coalesce(g.tgenabled, 'D') not in ('O', 'A')
  and (n.nspname = 'public' or exists (
    select from pg_catalog.pg_proc p join pg_catalog.pg_namespace a on a.oid = p.pronamespace
    where a.nspname = 'audit' and p.proname = 'capture_' || n.nspname || '_' || c.relname))
group by c.oid
order by 3
