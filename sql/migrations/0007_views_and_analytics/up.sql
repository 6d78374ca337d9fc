-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes
-- seeds: audit.captured_tables

create view public.family_overview with (security_invoker) as
  select f.id as family_id, f.name, f.family_type, f.timezone, f.province, f.created_at, f.archived_at,
    (select count(*) from public.family_members m where m.family_id = f.id and m.status = 'active'
      and (m.access_expires_at is null or m.access_expires_at > now())) as active_members,
    (select count(*) from public.children c where c.family_id = f.id and c.deleted_at is null) as children,
    (select max(l.logged_at) from public.usage_logs l where l.family_id = f.id) as last_logged_at
  from public.families f;
comment on view public.family_overview is 'A family with its counts, as far as the reader''s own row security lets them see.';

create function private.co_members() returns uuid[]
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return array(
    select distinct m.user_id from public.family_members m
      join public.users u on u.id = m.user_id
    where m.status = 'active' and (m.access_expires_at is null or m.access_expires_at > clock_timestamp())
      and u.status not in ('suspended', 'pending_deletion')
      and m.family_id = any (private.member_families('family:read')));
create view public.member_profiles with (security_barrier) as
  select u.id, u.display_name, u.language
  from public.users u
  where u.id = any ((select private.co_members())::uuid[]);
comment on view public.member_profiles is
  'What co-members may see of each other (lint definer_view: it shows three columns of rows whose other columns stay hidden).';

revoke all on public.family_overview, public.member_profiles from public, anon, authenticated, service_role;
grant select on public.family_overview to authenticated, nestsync_support, nestsync_compliance, nestsync_admin;
grant select on public.member_profiles to authenticated;

create materialized view private.weekly_usage as
  select l.family_id, l.child_id,
    date_trunc('week', l.logged_at at time zone f.timezone)::date as week,
    count(*) as events,
    count(*) filter (where l.usage_type in ('diaper_change', 'preventive_change', 'overnight_change')) as changes,
    sum(l.quantity_used) as items_used,
    count(*) filter (where l.had_leakage) as leakages
  from public.usage_logs l join public.families f on f.id = l.family_id
  group by 1, 2, 3
  with no data;
comment on materialized view private.weekly_usage is 'Usage by family, child and week (Monday, in the family''s time zone). Read through ops.weekly_usage, which checks the grant.';
-- squawk-ignore require-concurrent-index-creation
create unique index weekly_usage_key on private.weekly_usage (family_id, child_id, week);

create materialized view private.weekly_activity as
  select week, count(distinct family_id) as families, count(*) as children, sum(events) as events, sum(changes) as changes
  from private.weekly_usage group by week
  with no data;
comment on materialized view private.weekly_activity is 'Usage of the whole product by week: counts only, no family. Read through ops.weekly_activity.';
-- squawk-ignore require-concurrent-index-creation
create unique index weekly_activity_key on private.weekly_activity (week);

create table ops.analytics_refreshes (
  id bigint generated always as identity primary key,
  refreshed_by text not null default session_user,
  started_at timestamptz not null,
  finished_at timestamptz not null default clock_timestamp(),
  constraint analytics_refreshes_time_order check (finished_at >= started_at)
);
comment on table ops.analytics_refreshes is 'When the analytics views were last computed, and by whom.';
alter table ops.analytics_refreshes enable row level security;
alter table ops.analytics_refreshes force row level security;
create policy analytics_refreshes_owner_all on ops.analytics_refreshes to current_user using (true) with check (true);
create policy analytics_refreshes_staff_select on ops.analytics_refreshes for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using ((select private.session_duty()) is not null);
grant select on ops.analytics_refreshes to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
select audit.attach('ops.analytics_refreshes', 'access', record => null);

create function ops.refresh_analytics() returns table (started_at timestamptz, finished_at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  began timestamptz := clock_timestamp();
  v text;
begin
  if coalesce(private.session_duty(), '') not in ('sre', 'admin') then
    perform private.fail('NS004', 'analytics are refreshed under the duty sre or admin', 'nestctl analytics refresh --duty sre');
  end if;
  foreach v in array array['weekly_usage', 'weekly_activity'] loop
    if (select c.relispopulated from pg_catalog.pg_class c where c.oid = to_regclass('private.' || v)) then
      execute format('refresh materialized view concurrently private.%I', v);
    else
      execute format('refresh materialized view private.%I', v);
    end if;
  end loop;
  return query insert into ops.analytics_refreshes as r (started_at) values (began) returning r.started_at, r.finished_at;
end $$;
comment on function ops.refresh_analytics() is 'Computes the analytics views anew, concurrently with their readers.';

create function ops.weekly_usage(family uuid, since date default null)
  returns table (child_id uuid, child_name text, week date, events bigint, changes bigint, items_used bigint, leakages bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (family = any (private.granted_families()) or private.break_glass()) then
    perform private.fail('NS002', format('no live access grant of yours covers family %s', family),
      format('Open one: nestctl access open --family %s --reason "…" --ticket …', family));
  end if;
  if not (select c.relispopulated from pg_catalog.pg_class c where c.oid = to_regclass('private.weekly_usage')) then
    perform private.fail('NS005', 'analytics have not been computed yet', 'nestctl analytics refresh');
  end if;
  return query
    select w.child_id, c.name, w.week, w.events, w.changes, w.items_used, w.leakages
    from private.weekly_usage w join public.children c on c.family_id = w.family_id and c.id = w.child_id
    where w.family_id = family and (since is null or w.week >= since)
    order by c.name, w.child_id, w.week;
end $$;
comment on function ops.weekly_usage(uuid, date) is 'Usage of one granted family by child and week, as of the last refresh.';

create function ops.weekly_activity(since date default null)
  returns table (week date, families bigint, children bigint, events numeric, changes numeric)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if private.session_duty() is null then
    perform private.fail('NS004', 'this session has taken no duty that its operator holds');
  end if;
  if not (select c.relispopulated from pg_catalog.pg_class c where c.oid = to_regclass('private.weekly_activity')) then
    perform private.fail('NS005', 'analytics have not been computed yet', 'nestctl analytics refresh');
  end if;
  return query select w.week, w.families, w.children, w.events, w.changes from private.weekly_activity w
    where since is null or w.week >= since order by w.week;
end $$;
comment on function ops.weekly_activity(date) is 'Usage of the whole product by week: counts only, no personal data, no grant needed.';

revoke all on private.weekly_usage, private.weekly_activity from public, anon, authenticated, service_role;
revoke execute on all functions in schema private, ops, audit from public;
grant execute on function private.co_members() to authenticated;
grant execute on function ops.refresh_analytics() to nestsync_sre, nestsync_admin;
grant execute on function ops.weekly_usage(uuid, date) to nestsync_support, nestsync_compliance, nestsync_admin;
grant execute on function ops.weekly_activity(date) to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
