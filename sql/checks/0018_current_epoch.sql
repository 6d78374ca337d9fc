-- Events are written with the epoch that the log has recorded last, and that epoch is this cluster's.
select 'current_epoch' as name, 'error' as level, 'audit.current_epoch()' as object,
  format('events are written for epoch %s, and the last one that was recorded is %s', e.written, e.recorded) as detail,
  format('create or replace function audit.current_epoch() returns integer language sql stable parallel safe return %s', e.recorded) as remedy
from (
  select substring(pg_get_function_sqlbody('audit.current_epoch()'::regprocedure) from '[0-9]+')::integer as written,
    (select max(p.epoch) from audit.epochs p) as recorded) e
where e.written is distinct from e.recorded
order by 3
