-- Whoever broke the glass alone is watched while it lasts, and somebody else reviews it within three days.
with visible as (
  -- Row security shows operators their own grants only, but auditors, admins and the owner all.
  select pg_catalog.current_setting('role') in ('nestsync_auditor', 'nestsync_admin')
    or pg_catalog.pg_has_role(current_user, (select c.relowner from pg_catalog.pg_class c where c.oid = 'ops.access_grants'::regclass), 'USAGE') as all_of_them
), alone as (
  select g.id, g.operator, g.ticket, g.review_due_at <= pg_catalog.clock_timestamp() as overdue,
    to_char(g.review_due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as due,
    g.closed_at is null and g.expires_at > pg_catalog.clock_timestamp() as live
  from ops.access_grants g
  where g.review_due_at is not null and not exists (select from ops.access_reviews r where r.grant_id = g.id)
)
select 'break_glass' as name, 'unknown' as level, 'ops.access_grants' as object,
  'seeing who broke the glass takes the duty auditor or admin' as detail, 'nestctl doctor --duty admin' as remedy
from visible where not all_of_them
union all
select 'break_glass', case when overdue then 'error' else 'warning' end, operator,
  case when live then format('has broken the glass alone and reads everything, for %s', ticket)
    when overdue then format('broke the glass alone, for %s; the review was due by %s', ticket, due)
    else format('broke the glass alone, for %s; a review is due by %s', ticket, due) end,
  case when live then format('nestctl access list --operator %s', operator) else format('nestctl access review %s', id) end
from alone
where (select all_of_them from visible)
order by 3, 4
