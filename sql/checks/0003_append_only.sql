-- The triggers that keep the audit log as it was written are there and enabled, on every partition.
select 'append_only' as name, 'error' as level, c.oid::regclass::text as object,
  'events can be changed: ' || string_agg(wanted || case when g.oid is null then ' is missing' else ' is switched off' end, ', ' order by wanted) as detail,
  format('alter table %s enable trigger user', c.oid::regclass) as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join unnest(array['events_append_only', 'events_no_truncate', 'events_from_capture']) wanted
  left join pg_catalog.pg_trigger g on g.tgrelid = c.oid and g.tgname = wanted
where n.nspname = 'audit' and c.relkind in ('r', 'p') and c.relname ~ '^events($|_)'
  and coalesce(g.tgenabled, 'D') not in ('O', 'A')
group by c.oid
order by 3
