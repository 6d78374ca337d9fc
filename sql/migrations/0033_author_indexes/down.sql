drop index concurrently if exists public.family_invitations_accepter_idx;
-- statement
drop index concurrently if exists public.family_invitations_inviter_idx;
-- statement
drop index concurrently if exists public.family_invitations_author_idx;
-- statement
drop index concurrently if exists public.usage_analytics_author_idx;
-- statement
drop index concurrently if exists public.analytics_events_author_idx;
-- statement
drop index concurrently if exists public.reorder_suggestions_author_idx;
-- statement
drop index concurrently if exists public.usage_logs_author_idx;
-- statement
drop index concurrently if exists public.inventory_items_author_idx;
-- statement
drop index concurrently if exists public.emergency_profiles_author_idx;
-- statement
drop index concurrently if exists public.children_author_idx;
-- statement
drop index concurrently if exists public.family_members_author_idx;
-- statement
drop index concurrently if exists public.families_author_idx;
