-- kind: schema
-- locks: ACCESS EXCLUSIVE on public tables, briefly
-- transaction: yes
-- reversible: yes

-- Whatever default privileges a platform has handed out (Supabase gives everything to anon and authenticated,
-- TRUNCATE included) is taken back first.
do $$
declare
  t regclass;
begin
  for t in
    select c.oid::regclass from pg_class c
    where c.relkind = 'r' and (c.relnamespace = 'public'::regnamespace and c.relname in (
        'users', 'families', 'role_permissions', 'family_members', 'family_invitations', 'children', 'emergency_profiles',
        'inventory_items', 'usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics',
        'notification_preferences', 'notification_logs', 'subscriptions', 'payment_methods', 'consent_records')
      or c.oid in ('ops.operators'::regclass, 'ops.operator_duties'::regclass, 'ops.access_grants'::regclass, 'ops.duty_permissions'::regclass))
    order by 1
  loop
    execute format('revoke all on %s from public, anon, authenticated, service_role', t);
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('create policy %I on %s to current_user using (true) with check (true)', (select relname from pg_class where oid = t) || '_owner_all', t);
    if (select relnamespace from pg_class where oid = t) = 'public'::regnamespace then
      execute format('create policy %I on %s to service_role using (true) with check (true)', (select relname from pg_class where oid = t) || '_service_all', t);
      execute format('grant select, insert, update, delete on %s to service_role', t);
    end if;
  end loop;
end $$;
revoke insert, update, delete on public.role_permissions from service_role;

grant usage on schema public to
  nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;

-- Members --------------------------------------------------------------------------------------------------

grant select on public.role_permissions to authenticated;
create policy role_permissions_member_select on public.role_permissions for select to authenticated using (true);

grant select on public.users to authenticated;
grant update (email, first_name, last_name, display_name, phone_number, privacy_policy_accepted_at, terms_of_service_accepted_at,
  marketing_consent, analytics_consent, data_sharing_consent, timezone, language, province, postal_code,
  data_export_requested_at, data_deletion_requested_at) on public.users to authenticated;
create policy users_self_select on public.users for select to authenticated
  using (id = (select private.current_user_id()));
create policy users_self_update on public.users for update to authenticated
  using (id = (select private.current_user_id()))
  with check (id = (select private.current_user_id()));

grant select, insert (id, name, family_type, description, timezone, province, settings, created_by),
  update (name, family_type, description, timezone, province, settings) on public.families to authenticated;
create policy families_member_select on public.families for select to authenticated
  using (id = any ((select private.member_families('family:read'))::uuid[]));
create policy families_member_insert on public.families for insert to authenticated
  with check ((select private.account_active()) and created_by = (select private.current_user_id()));
create policy families_member_update on public.families for update to authenticated
  using (id = any ((select private.member_families('family:update'))::uuid[]))
  with check (id = any ((select private.member_families('family:update'))::uuid[]));

grant select, insert, update, delete on public.family_members to authenticated;
create policy family_members_member_select on public.family_members for select to authenticated
  using (family_id = any ((select private.member_families('members:read'))::uuid[])
    or (user_id = (select private.current_user_id()) and family_id = any ((select private.member_families('members:read', 'self'))::uuid[])));
create policy family_members_member_insert on public.family_members for insert to authenticated
  with check (family_id = any ((select private.member_families('members:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy family_members_member_update on public.family_members for update to authenticated
  using (family_id = any ((select private.member_families('members:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('members:update'))::uuid[]));
create policy family_members_member_delete on public.family_members for delete to authenticated
  using (family_id = any ((select private.member_families('members:delete'))::uuid[]));

grant select, insert, update, delete on public.family_invitations to authenticated;
create policy family_invitations_member_select on public.family_invitations for select to authenticated
  using (family_id = any ((select private.member_families('invitations:read'))::uuid[]));
create policy family_invitations_member_insert on public.family_invitations for insert to authenticated
  with check (family_id = any ((select private.member_families('invitations:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy family_invitations_member_update on public.family_invitations for update to authenticated
  using (family_id = any ((select private.member_families('invitations:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('invitations:update'))::uuid[]));
create policy family_invitations_member_delete on public.family_invitations for delete to authenticated
  using (family_id = any ((select private.member_families('invitations:delete'))::uuid[]));

grant select, insert, update, delete on public.children to authenticated;
create policy children_member_select on public.children for select to authenticated
  using (family_id = any ((select private.member_families('children:read'))::uuid[]));
create policy children_member_insert on public.children for insert to authenticated
  with check (family_id = any ((select private.member_families('children:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy children_member_update on public.children for update to authenticated
  using (family_id = any ((select private.member_families('children:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('children:update'))::uuid[]));
create policy children_member_delete on public.children for delete to authenticated
  using (family_id = any ((select private.member_families('children:delete'))::uuid[]));

grant select, insert, update, delete on public.emergency_profiles to authenticated;
create policy emergency_profiles_member_select on public.emergency_profiles for select to authenticated
  using (family_id = any ((select private.member_families('emergency:read'))::uuid[]));
create policy emergency_profiles_member_insert on public.emergency_profiles for insert to authenticated
  with check (family_id = any ((select private.member_families('emergency:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy emergency_profiles_member_update on public.emergency_profiles for update to authenticated
  using (family_id = any ((select private.member_families('emergency:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('emergency:update'))::uuid[]));
create policy emergency_profiles_member_delete on public.emergency_profiles for delete to authenticated
  using (family_id = any ((select private.member_families('emergency:delete'))::uuid[]));

grant select, insert, update, delete on public.inventory_items to authenticated;
create policy inventory_items_member_select on public.inventory_items for select to authenticated
  using (family_id = any ((select private.member_families('inventory:read'))::uuid[]));
create policy inventory_items_member_insert on public.inventory_items for insert to authenticated
  with check (family_id = any ((select private.member_families('inventory:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy inventory_items_member_update on public.inventory_items for update to authenticated
  using (family_id = any ((select private.member_families('inventory:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('inventory:update'))::uuid[]));
create policy inventory_items_member_delete on public.inventory_items for delete to authenticated
  using (family_id = any ((select private.member_families('inventory:delete'))::uuid[]));

-- One condition for the index, then one that tells its rows apart. As an "or" of the two scopes, PostgreSQL expects
-- so few rows that it reads a family's whole history to find the last fifty.
grant select, insert, update, delete on public.usage_logs to authenticated;
create policy usage_logs_member_select on public.usage_logs for select to authenticated
  using (family_id = any ((select private.member_families('usage:read', 'all today'))::uuid[])
    and (array_position((select private.member_families('usage:read'))::uuid[], family_id) is not null
      or (array_position((select private.member_families('usage:read', 'today'))::uuid[], family_id) is not null
        and private.family_today(family_id, logged_at))));
create policy usage_logs_member_insert on public.usage_logs for insert to authenticated
  with check (created_by = (select private.current_user_id())
    and (family_id = any ((select private.member_families('usage:insert'))::uuid[])
      or (family_id = any ((select private.member_families('usage:insert', 'today'))::uuid[]) and private.family_today(family_id, logged_at))));
create policy usage_logs_member_update on public.usage_logs for update to authenticated
  using (family_id = any ((select private.member_families('usage:update'))::uuid[])
    or (created_by = (select private.current_user_id())
      and (family_id = any ((select private.member_families('usage:update', 'own'))::uuid[])
        or (family_id = any ((select private.member_families('usage:update', 'today_own'))::uuid[]) and private.family_today(family_id, logged_at)))))
  with check (family_id = any ((select private.member_families('usage:update'))::uuid[])
    or (created_by = (select private.current_user_id())
      and (family_id = any ((select private.member_families('usage:update', 'own'))::uuid[])
        or (family_id = any ((select private.member_families('usage:update', 'today_own'))::uuid[]) and private.family_today(family_id, logged_at)))));
create policy usage_logs_member_delete on public.usage_logs for delete to authenticated
  using (family_id = any ((select private.member_families('usage:delete'))::uuid[])
    or (created_by = (select private.current_user_id()) and family_id = any ((select private.member_families('usage:delete', 'own'))::uuid[])));

grant select, insert, update, delete on public.reorder_suggestions to authenticated;
create policy reorder_suggestions_member_select on public.reorder_suggestions for select to authenticated
  using (family_id = any ((select private.member_families('reorder:read'))::uuid[]));
create policy reorder_suggestions_member_insert on public.reorder_suggestions for insert to authenticated
  with check (family_id = any ((select private.member_families('reorder:insert'))::uuid[]) and created_by = (select private.current_user_id()));
create policy reorder_suggestions_member_update on public.reorder_suggestions for update to authenticated
  using (family_id = any ((select private.member_families('reorder:update'))::uuid[]))
  with check (family_id = any ((select private.member_families('reorder:update'))::uuid[]));
create policy reorder_suggestions_member_delete on public.reorder_suggestions for delete to authenticated
  using (family_id = any ((select private.member_families('reorder:delete'))::uuid[]));

grant select, insert on public.analytics_events to authenticated;
create policy analytics_events_member_select on public.analytics_events for select to authenticated
  using (family_id = any ((select private.member_families('events:read'))::uuid[]));
create policy analytics_events_member_insert on public.analytics_events for insert to authenticated
  with check (created_by = (select private.current_user_id())
    and (family_id = any ((select private.member_families('events:insert', 'own'))::uuid[])
      or family_id = any ((select private.member_families('events:insert'))::uuid[])));

grant select on public.usage_analytics to authenticated;
create policy usage_analytics_member_select on public.usage_analytics for select to authenticated
  using (family_id = any ((select private.member_families('analytics:read'))::uuid[]));

grant select, insert, update on public.consent_records, public.notification_preferences to authenticated;
grant select on public.notification_logs, public.payment_methods, public.subscriptions to authenticated;
do $$
declare
  t text;
begin
  foreach t in array array['consent_records', 'notification_preferences', 'notification_logs', 'payment_methods', 'subscriptions'] loop
    execute format('create policy %I on public.%I for select to authenticated using (user_id = (select private.current_user_id()))', t || '_self_select', t);
    if t in ('consent_records', 'notification_preferences') then
      execute format('create policy %I on public.%I for insert to authenticated with check (user_id = (select private.current_user_id()))', t || '_self_insert', t);
      execute format('create policy %I on public.%I for update to authenticated using (user_id = (select private.current_user_id())) with check (user_id = (select private.current_user_id()))', t || '_self_update', t);
    end if;
  end loop;
end $$;

-- Staff ----------------------------------------------------------------------------------------------------

grant select (id, email, first_name, last_name, display_name, status, email_verified_at, last_login_at, failed_login_attempts, locked_until,
  timezone, language, province, data_export_requested_at, data_deletion_requested_at, created_at, updated_at, deleted_at)
  on public.users to nestsync_support, nestsync_compliance, nestsync_admin;
grant select on public.families, public.family_members, public.inventory_items, public.reorder_suggestions
  to nestsync_support, nestsync_compliance, nestsync_admin;
grant select (family_id, id, email, role, granted_permissions, denied_permissions, invited_by, status, expires_at, accepted_at, accepted_by,
  created_by, created_at, updated_at) on public.family_invitations to nestsync_support, nestsync_compliance, nestsync_admin;
grant select (family_id, id, name, date_of_birth, gender, province, current_diaper_size, size_history, daily_usage_count,
  created_by, created_at, updated_at, deleted_at) on public.children to nestsync_support, nestsync_compliance, nestsync_admin;
grant select (family_id, id, child_id, inventory_item_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet, was_soiled,
  had_leakage, product_rating, time_since_last_change, notes, created_by, created_at, updated_at)
  on public.usage_logs to nestsync_support, nestsync_compliance, nestsync_admin;

grant insert, update, delete on public.families, public.family_members, public.family_invitations, public.inventory_items,
  public.reorder_suggestions to nestsync_admin;
grant insert (family_id, id, name, date_of_birth, gender, province, current_diaper_size, size_history, daily_usage_count),
  update (name, date_of_birth, gender, province, current_diaper_size, size_history, daily_usage_count, deleted_at),
  delete on public.children to nestsync_admin;
grant insert (family_id, id, child_id, inventory_item_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet, was_soiled,
    had_leakage, product_rating, time_since_last_change, notes),
  update (child_id, inventory_item_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet, was_soiled, had_leakage,
    product_rating, time_since_last_change, notes),
  delete on public.usage_logs to nestsync_admin;

grant select on public.emergency_profiles, public.analytics_events, public.usage_analytics, public.consent_records,
  public.notification_preferences, public.notification_logs, public.payment_methods, public.subscriptions to nestsync_compliance;
grant select, insert, update, delete on public.emergency_profiles, public.analytics_events, public.usage_analytics, public.consent_records,
  public.notification_preferences, public.notification_logs, public.payment_methods, public.subscriptions to nestsync_admin;

create policy users_staff_select on public.users for select to nestsync_support, nestsync_compliance, nestsync_admin
  using (id = any ((select private.granted_users())::uuid[]) or (select private.break_glass()));
create policy families_staff_select on public.families for select to nestsync_support, nestsync_compliance, nestsync_admin
  using (id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()));
create policy families_admin_write on public.families to nestsync_admin
  using (id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()))
  with check (id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()));
do $$
declare
  t text;
begin
  foreach t in array array['family_members', 'family_invitations', 'children', 'usage_logs', 'inventory_items', 'reorder_suggestions'] loop
    execute format('create policy %I on public.%I for select to nestsync_support, nestsync_compliance, nestsync_admin
      using (family_id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()))', t || '_staff_select', t);
    execute format('create policy %I on public.%I to nestsync_admin
      using (family_id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()))
      with check (family_id = any ((select private.granted_families())::uuid[]) or (select private.break_glass()))', t || '_admin_write', t);
  end loop;
  foreach t in array array['emergency_profiles', 'analytics_events', 'usage_analytics'] loop
    execute format('create policy %I on public.%I for select to nestsync_compliance
      using (family_id = any ((select private.subject_families())::uuid[]))', t || '_compliance_select', t);
    execute format('create policy %I on public.%I to nestsync_admin
      using ((select private.break_glass())) with check ((select private.break_glass()))', t || '_break_glass_all', t);
  end loop;
  foreach t in array array['consent_records', 'notification_preferences', 'notification_logs', 'payment_methods', 'subscriptions'] loop
    execute format('create policy %I on public.%I for select to nestsync_compliance
      using (user_id = any ((select private.subject_users())::uuid[]))', t || '_compliance_select', t);
    execute format('create policy %I on public.%I to nestsync_admin
      using ((select private.break_glass())) with check ((select private.break_glass()))', t || '_break_glass_all', t);
  end loop;
end $$;

-- Column privileges cannot follow the kind of a grant, so what only a subject grant or break-glass opens is read
-- through views of the owner that check it.
create function private.opens_private_columns(owner_family uuid, subject uuid) returns boolean
  language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp
  return case private.session_duty()
    when 'compliance' then coalesce(owner_family = any (private.subject_families()), false)
      or coalesce(subject = any (private.subject_users()), false)
    when 'admin' then private.break_glass()
    else false
  end;
create view ops.children_health with (security_barrier) as
  select family_id, id, current_weight_kg, current_height_cm, weight_history, height_history,
    special_needs, has_sensitive_skin, has_allergies, allergies_notes
  from public.children where private.opens_private_columns(family_id, null);
create view ops.usage_logs_health with (security_barrier) as
  select family_id, id, health_notes from public.usage_logs where private.opens_private_columns(family_id, null);
create view ops.users_private with (security_barrier) as
  select id, phone_number, phone_verified_at, last_login_ip, privacy_policy_accepted_at, terms_of_service_accepted_at,
    marketing_consent, analytics_consent, data_sharing_consent, currency, postal_code, retention_date, retention_reason
  from public.users where private.opens_private_columns(null, id);
comment on view ops.children_health is 'Health columns of children: for compliance within a data subject''s grant, for admin in break-glass.';
comment on view ops.usage_logs_health is 'Health notes of usage logs: for compliance within a data subject''s grant, for admin in break-glass.';
comment on view ops.users_private is 'What support never needs of a person: for compliance within that person''s grant, for admin in break-glass.';
revoke all on ops.children_health, ops.usage_logs_health, ops.users_private from public, anon, authenticated, service_role;
grant select on ops.children_health, ops.usage_logs_health, ops.users_private to nestsync_compliance, nestsync_admin;
grant update on ops.children_health, ops.usage_logs_health to nestsync_admin;

grant select on ops.duty_permissions to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
create policy duty_permissions_staff_select on ops.duty_permissions for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin using (true);
grant select on ops.operators, ops.operator_duties to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
create policy operators_self_select on ops.operators for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (login = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));
create policy operator_duties_self_select on ops.operator_duties for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (login = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));
grant select on ops.access_grants to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
create policy access_grants_self_select on ops.access_grants for select
  to nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin
  using (operator = (select session_user::text) or (select private.session_duty()) in ('auditor', 'admin'));

-- Policies call these as the person who queries. No schema usage goes with it, so nobody can name them otherwise.
grant execute on function private.current_user_id(), private.member_families(text, text), private.family_today(uuid, timestamptz),
  private.account_active() to authenticated;
grant execute on function private.current_user_id() to service_role, nestsync_admin;
grant execute on function private.granted_families(), private.granted_users(), private.subject_families(), private.subject_users(),
  private.break_glass() to nestsync_support, nestsync_compliance, nestsync_admin;
-- The view of the audit log asks for them under every duty that reads it.
grant execute on function private.granted_families(), private.granted_users() to nestsync_auditor;
revoke execute on function private.opens_private_columns(uuid, uuid) from public;
grant execute on function private.opens_private_columns(uuid, uuid) to nestsync_compliance, nestsync_admin;
