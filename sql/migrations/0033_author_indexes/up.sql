-- kind: schema
-- locks: SHARE UPDATE EXCLUSIVE on each table while its index is built: rows are read and written meanwhile
-- transaction: no
-- reversible: yes

-- What somebody entered, wherever: their package counts it, and their erasure takes their name from it. Each would read
-- every row of every household for it otherwise.

-- squawk-ignore-file ban-concurrent-index-creation-in-transaction

create index concurrently if not exists families_author_idx on public.families (created_by) where created_by is not null;
-- statement
create index concurrently if not exists family_members_author_idx on public.family_members (created_by) where created_by is not null;
-- statement
create index concurrently if not exists children_author_idx on public.children (created_by) where created_by is not null;
-- statement
create index concurrently if not exists emergency_profiles_author_idx on public.emergency_profiles (created_by) where created_by is not null;
-- statement
create index concurrently if not exists inventory_items_author_idx on public.inventory_items (created_by) where created_by is not null;
-- statement
create index concurrently if not exists usage_logs_author_idx on public.usage_logs (created_by) where created_by is not null;
-- statement
create index concurrently if not exists reorder_suggestions_author_idx on public.reorder_suggestions (created_by) where created_by is not null;
-- statement
create index concurrently if not exists analytics_events_author_idx on public.analytics_events (created_by) where created_by is not null;
-- statement
create index concurrently if not exists usage_analytics_author_idx on public.usage_analytics (created_by) where created_by is not null;
-- statement
create index concurrently if not exists family_invitations_author_idx on public.family_invitations (created_by) where created_by is not null;
-- statement
create index concurrently if not exists family_invitations_inviter_idx on public.family_invitations (invited_by) where invited_by is not null;
-- statement
create index concurrently if not exists family_invitations_accepter_idx on public.family_invitations (accepted_by) where accepted_by is not null;
