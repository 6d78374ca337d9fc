revoke execute on function private.granted_families(), private.granted_users(), private.subject_families(), private.subject_users(),
  private.break_glass() from nestsync_support, nestsync_compliance, nestsync_admin;
revoke execute on function private.granted_families(), private.granted_users() from nestsync_auditor;
revoke execute on function private.current_user_id() from service_role, nestsync_admin;
revoke execute on function private.current_user_id(), private.member_families(text, text), private.family_today(uuid, timestamptz),
  private.account_active() from authenticated;

drop view ops.users_private;
drop view ops.usage_logs_health;
drop view ops.children_health;
drop function private.opens_private_columns(uuid, uuid);

do $$
declare
  p record;
  t regclass;
begin
  for p in
    select polname, polrelid::regclass as relation from pg_policy
    where polrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
      or polrelid in ('ops.operators'::regclass, 'ops.operator_duties'::regclass, 'ops.access_grants'::regclass, 'ops.duty_permissions'::regclass)
  loop
    execute format('drop policy %I on %s', p.polname, p.relation);
  end loop;
  for t in
    select c.oid::regclass from pg_class c
    where c.relkind = 'r' and (c.relnamespace = 'public'::regnamespace and c.relname in (
        'users', 'families', 'role_permissions', 'family_members', 'family_invitations', 'children', 'emergency_profiles',
        'inventory_items', 'usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics',
        'notification_preferences', 'notification_logs', 'subscriptions', 'payment_methods', 'consent_records')
      or c.oid in ('ops.operators'::regclass, 'ops.operator_duties'::regclass, 'ops.access_grants'::regclass, 'ops.duty_permissions'::regclass))
  loop
    execute format('alter table %s no force row level security', t);
    execute format('alter table %s disable row level security', t);
    execute format('revoke all on %s from authenticated, service_role, nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin', t);
  end loop;
end $$;
revoke usage on schema public from
  nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
