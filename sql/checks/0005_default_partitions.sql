-- An event beyond the prepared months is kept in a default partition, from where its month must fetch it.
select 'default_partitions' as name, 'error' as level, 'audit.' || d.partition as object,
  format('%s events from %s on are in the default partition, since their month was never added', d.events, d.since::date) as detail,
  format('select audit.add_partitions(%L, %s)', d.since::date,
    greatest(1, (extract(year from age(now(), d.since)) * 12 + extract(month from age(now(), d.since)))::integer + 4)) as remedy
from audit.default_partitions() d
where d.events > 0
order by 3
