do $$
declare
  t text;
begin
  foreach t in array array['families', 'family_members', 'family_invitations', 'children', 'emergency_profiles', 'inventory_items',
    'usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics']
  loop
    execute format('alter table public.%I alter column created_by drop default', t);
  end loop;
end $$;
alter table public.family_members alter column invited_by drop default;
alter table public.family_invitations alter column invited_by drop default;

drop function ops.close_access(uuid);
drop function ops.open_access(text, text, text, integer, uuid, uuid);
drop function private.granted_users();
drop function private.granted_families();
drop function private.subject_families();
drop function private.subject_users();
drop function private.break_glass();
drop function private.live_grants();
drop function private.grant_is_live(ops.access_grants);
drop table ops.access_grants;
drop function private.refuse_delete();
drop function private.stamp_grant();
drop function private.alert_break_glass();
drop table ops.duty_permissions;
drop trigger families_founder on public.families;
drop trigger family_invitations_guard on public.family_invitations;
drop trigger family_members_guard on public.family_members;
drop function private.found_family();
drop function private.guard_membership();
drop function private.hands_on_nothing(jsonb, jsonb);
drop function private.account_active();
drop function private.family_today(uuid, timestamptz);
drop function private.member_families(text, text);
drop function private.current_user_id();
drop function private.impersonates(uuid);
drop function private.effective_scope(text, text[], text[], text);
drop function private.permissions_known(text[]);
drop function private.permission_named(text[], text);
delete from public.role_permissions;
