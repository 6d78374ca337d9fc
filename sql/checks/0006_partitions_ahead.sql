-- At least the next month of every category is prepared.
select 'partitions_ahead' as name, 'warning' as level, 'audit.' || c.relname as object,
  coalesce('its last partition is ' || max(l.relname), 'it has no monthly partition')
    || ': less than a month ahead' as detail,
  format('select audit.add_partitions(%L, 4)', current_date) as remedy
from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join (pg_catalog.pg_inherits i join pg_catalog.pg_class l on l.oid = i.inhrelid and l.relname ~ '_[0-9]{4}_[0-9]{2}$')
    on i.inhparent = c.oid
where n.nspname = 'audit' and c.relkind = 'p' and c.relname ~ '^events_'
group by c.oid, c.relname
having max(right(l.relname, 7)) is null or max(right(l.relname, 7)) < to_char(now() at time zone 'UTC' + interval '1 month', 'YYYY_MM')
order by 3
