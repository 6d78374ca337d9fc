-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes, where the tables are empty

-- Owners: a family-owned table has the key (family_id, id), a user-owned one (user_id, id), and foreign keys
-- between them carry the owner, so that no row can point into another family. Author columns (created_by,
-- invited_by, accepted_by) have no foreign key: authorship outlives the author's account.

create table public.users (
  id uuid primary key default gen_random_uuid(),
  email text not null,
  first_name text,
  last_name text,
  display_name text,
  phone_number text,
  status text not null default 'pending_verification',
  email_verified_at timestamptz,
  phone_verified_at timestamptz,
  last_login_at timestamptz,
  last_login_ip inet,
  failed_login_attempts integer not null default 0,
  locked_until timestamptz,
  privacy_policy_accepted_at timestamptz,
  terms_of_service_accepted_at timestamptz,
  marketing_consent boolean not null default false,
  analytics_consent boolean not null default false,
  data_sharing_consent boolean not null default false,
  timezone private.time_zone not null default 'America/Toronto',
  language text not null default 'en',
  currency text not null default 'CAD',
  province private.province,
  postal_code private.postal_code,
  data_export_requested_at timestamptz,
  data_deletion_requested_at timestamptz,
  retention_date date,
  retention_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint users_email_form check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint users_status check (status in ('pending_verification', 'active', 'suspended', 'pending_deletion')),
  constraint users_language check (language in ('en', 'fr')),
  constraint users_currency check (currency = 'CAD'),
  constraint users_failed_logins check (failed_login_attempts >= 0),
  constraint users_time_order check (deleted_at >= created_at)
);
comment on table public.users is 'A person with an account. id is the person''s id in auth.users (auth.uid()).';
create unique index users_email_key on public.users (lower(email) text_pattern_ops);
create index users_display_name_idx on public.users (lower(display_name) text_pattern_ops);
create index users_last_name_idx on public.users (lower(last_name) text_pattern_ops);
create index users_barred_idx on public.users (id) where status in ('suspended', 'pending_deletion');
create index users_pending_deletion_idx on public.users (data_deletion_requested_at) where status = 'pending_deletion';

create table public.families (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  family_type text not null default 'personal',
  description text,
  timezone private.time_zone not null default 'America/Toronto',
  province private.province,
  settings jsonb not null default '{}',
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  archived_at timestamptz,
  constraint families_name_filled check (name ~ '[^[:space:]]'),
  constraint families_type check (family_type in ('personal', 'standard', 'institutional')),
  constraint families_settings_object check (jsonb_typeof(settings) = 'object'),
  constraint families_time_order check (archived_at >= created_at)
);
comment on table public.families is 'A household or institution that shares the care of children. Archived instead of deleted.';
create index families_name_idx on public.families (name, id);
create index families_name_prefix_idx on public.families (lower(name) text_pattern_ops);
create index families_live_idx on public.families (created_at) where archived_at is null;
create index families_archived_idx on public.families (id) where archived_at is not null;

create table public.role_permissions (
  role text not null,
  permission text not null,
  row_scope text not null,
  primary key (role, permission),
  constraint role_permissions_role check (role in ('family_core', 'extended_family', 'professional', 'institutional')),
  constraint role_permissions_form check (permission ~ '^[a-z_]+:(read|insert|update|delete)$'),
  constraint role_permissions_scope check (row_scope in ('all', 'own', 'today', 'today_own', 'self'))
);
comment on table public.role_permissions is
  'The declared access table for members: what a role may do, and to which rows (all, own = created_by, today = the family''s current day, today_own = both, self = the member''s own row). Written by migrations only.';
create index role_permissions_permission_idx on public.role_permissions (permission, row_scope) include (role);

create table public.family_members (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  role text not null,
  granted_permissions text[] not null default '{}',
  denied_permissions text[] not null default '{}',
  status text not null default 'active',
  joined_at timestamptz,
  access_expires_at timestamptz,
  invited_by uuid,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint family_members_person_once unique (family_id, user_id),
  constraint family_members_role check (role in ('family_core', 'extended_family', 'professional', 'institutional')),
  constraint family_members_status check (status in ('active', 'invited', 'inactive', 'suspended', 'removed')),
  constraint family_members_time_order check (access_expires_at > created_at)
);
comment on column public.family_members.granted_permissions is
  'Permissions beyond the role''s, such as usage:read; "resource:write" means insert, update and delete.';
comment on column public.family_members.denied_permissions is 'Permissions taken away. A denial wins over the role and over a grant.';
create index family_members_user_idx on public.family_members (user_id, family_id);
create index family_members_active_idx on public.family_members (user_id, family_id) where status = 'active';
create index family_members_expiry_idx on public.family_members (access_expires_at) where status = 'active' and access_expires_at is not null;

create table public.family_invitations (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  email text not null,
  role text not null,
  granted_permissions text[] not null default '{}',
  denied_permissions text[] not null default '{}',
  token_hash bytea not null,
  invited_by uuid,
  status text not null default 'pending',
  expires_at timestamptz not null default now() + interval '7 days',
  accepted_at timestamptz,
  accepted_by uuid,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint family_invitations_email_form check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  constraint family_invitations_role check (role in ('family_core', 'extended_family', 'professional', 'institutional')),
  constraint family_invitations_status check (status in ('pending', 'accepted', 'expired', 'revoked')),
  constraint family_invitations_accepted check ((status = 'accepted') = (accepted_at is not null)),
  constraint family_invitations_time_order check (expires_at > created_at and accepted_at >= created_at)
);
comment on column public.family_invitations.token_hash is 'SHA-256 of the invitation token; the token itself is only in the e-mail.';
create unique index family_invitations_token_key on public.family_invitations (token_hash);
create unique index family_invitations_pending_key on public.family_invitations (family_id, lower(email)) where status = 'pending';
create index family_invitations_email_idx on public.family_invitations (lower(email));

create table public.children (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  name text not null,
  date_of_birth date not null,
  gender text,
  province private.province,
  current_diaper_size text,
  size_history jsonb not null default '[]',
  daily_usage_count integer,
  current_weight_kg numeric(5, 2),
  current_height_cm numeric(5, 1),
  weight_history jsonb not null default '[]',
  height_history jsonb not null default '[]',
  special_needs text,
  has_sensitive_skin boolean,
  has_allergies boolean,
  allergies_notes text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (family_id, id),
  constraint children_name_filled check (name ~ '[^[:space:]]'),
  constraint children_gender check (gender in ('girl', 'boy', 'other', 'undisclosed')),
  constraint children_daily_usage check (daily_usage_count between 0 and 100),
  constraint children_weight check (current_weight_kg > 0),
  constraint children_height check (current_height_cm > 0),
  constraint children_histories check (jsonb_typeof(size_history) = 'array' and jsonb_typeof(weight_history) = 'array' and jsonb_typeof(height_history) = 'array'),
  constraint children_time_order check (deleted_at >= created_at)
);
create index children_live_idx on public.children (family_id, date_of_birth) where deleted_at is null;

create table public.emergency_profiles (
  family_id uuid not null,
  id uuid not null default gen_random_uuid(),
  child_id uuid not null,
  contact_name text not null,
  relationship text,
  phone_primary text,
  phone_secondary text,
  can_pickup boolean not null default false,
  can_make_medical_decisions boolean not null default false,
  speaks_french boolean,
  speaks_english boolean,
  blood_type text,
  allergies text,
  has_epipen boolean,
  medications text,
  medical_conditions text,
  health_card_number text,
  health_card_province private.province,
  health_card_expiry date,
  provider_name text,
  provider_clinic text,
  provider_phone text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint emergency_profiles_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade,
  constraint emergency_profiles_blood_type check (blood_type in ('A+', 'A-', 'B+', 'B-', 'AB+', 'AB-', 'O+', 'O-'))
);
create index emergency_profiles_child_idx on public.emergency_profiles (family_id, child_id);

create table public.inventory_items (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  child_id uuid,
  product_type text not null,
  brand text,
  product_name text,
  size text,
  quantity_total integer not null,
  quantity_remaining integer not null,
  quantity_reserved integer not null default 0,
  purchase_date date,
  purchase_source text,
  cost_cad private.cad,
  expiry_date date,
  batch_number text,
  barcode text,
  storage_location text,
  is_opened boolean not null default false,
  opened_date date,
  notes text,
  quality_rating smallint,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (family_id, id),
  constraint inventory_items_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete set null (child_id),
  constraint inventory_items_product_type check (product_type in ('diaper', 'training_pants', 'wipes', 'diaper_cream', 'powder', 'diaper_bags', 'swimwear', 'clothing')),
  constraint inventory_items_quantities check (quantity_total >= 0 and quantity_reserved >= 0 and quantity_remaining between 0 and quantity_total and quantity_reserved <= quantity_remaining),
  constraint inventory_items_rating check (quality_rating between 1 and 5),
  constraint inventory_items_time_order check (opened_date >= purchase_date and expiry_date >= purchase_date and deleted_at >= created_at)
);
create index inventory_items_child_idx on public.inventory_items (family_id, child_id, product_type);
create index inventory_items_live_idx on public.inventory_items (family_id, product_type, size) where deleted_at is null;

create table public.usage_logs (
  family_id uuid not null,
  id uuid not null default gen_random_uuid(),
  child_id uuid not null,
  inventory_item_id uuid,
  usage_type text not null,
  logged_at timestamptz not null default now(),
  quantity_used integer not null default 1,
  context text,
  caregiver_name text,
  was_wet boolean,
  was_soiled boolean,
  had_leakage boolean,
  product_rating smallint,
  time_since_last_change interval,
  notes text,
  health_notes text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint usage_logs_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade,
  constraint usage_logs_item_fkey foreign key (family_id, inventory_item_id) references public.inventory_items (family_id, id) on delete set null (inventory_item_id),
  constraint usage_logs_type check (usage_type in ('diaper_change', 'wipe_use', 'cream_application', 'accident_cleanup', 'preventive_change', 'overnight_change', 'clothing_change')),
  constraint usage_logs_context check (context in ('home', 'daycare', 'outing', 'travel', 'grandparents', 'other')),
  constraint usage_logs_quantity check (quantity_used >= 0),
  constraint usage_logs_rating check (product_rating between 1 and 5)
);
create index usage_logs_time_idx on public.usage_logs (family_id, logged_at desc);
create index usage_logs_child_idx on public.usage_logs (family_id, child_id, logged_at desc);
create index usage_logs_item_idx on public.usage_logs (family_id, inventory_item_id) where inventory_item_id is not null;

create table public.reorder_suggestions (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  child_id uuid,
  product_type text not null,
  product text not null,
  predicted_runout_date date,
  recommended_reorder_date date,
  confidence numeric(4, 3),
  status text not null default 'pending',
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint reorder_suggestions_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade,
  constraint reorder_suggestions_status check (status in ('pending', 'accepted', 'dismissed', 'expired')),
  constraint reorder_suggestions_confidence check (confidence between 0 and 1),
  constraint reorder_suggestions_time_order check (recommended_reorder_date <= predicted_runout_date)
);
create index reorder_suggestions_child_idx on public.reorder_suggestions (family_id, child_id);
create index reorder_suggestions_pending_idx on public.reorder_suggestions (family_id, recommended_reorder_date) where status = 'pending';

create table public.analytics_events (
  family_id uuid not null references public.families (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  event_type text not null,
  properties jsonb not null default '{}',
  occurred_at timestamptz not null default now(),
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint analytics_events_properties_object check (jsonb_typeof(properties) = 'object')
);
create index analytics_events_time_idx on public.analytics_events (family_id, occurred_at desc);

create table public.usage_analytics (
  family_id uuid not null,
  id uuid not null default gen_random_uuid(),
  child_id uuid not null,
  period text not null,
  period_start date not null,
  change_count integer not null default 0,
  hourly_distribution integer[] not null default '{}',
  cost_cad private.cad not null default 0,
  longest_gap interval,
  shortest_gap interval,
  brand text,
  size text,
  created_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (family_id, id),
  constraint usage_analytics_child_fkey foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade,
  constraint usage_analytics_once unique (family_id, child_id, period, period_start),
  constraint usage_analytics_period check (period in ('day', 'week')),
  constraint usage_analytics_count check (change_count >= 0),
  constraint usage_analytics_hours check (cardinality(hourly_distribution) in (0, 24)),
  constraint usage_analytics_gap_order check (longest_gap >= shortest_gap)
);

create table public.notification_preferences (
  user_id uuid not null references public.users (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  push_enabled boolean not null default true,
  email_enabled boolean not null default true,
  sms_enabled boolean not null default false,
  quiet_hours_start time,
  quiet_hours_end time,
  reorder_threshold_days integer not null default 3,
  daily_limit integer not null default 10,
  device_tokens text[] not null default '{}',
  consented_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id),
  constraint notification_preferences_once unique (user_id),
  constraint notification_preferences_threshold check (reorder_threshold_days between 0 and 90),
  constraint notification_preferences_limit check (daily_limit between 0 and 1000)
);

create table public.notification_logs (
  user_id uuid not null references public.users (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  notification_type text not null,
  priority text not null default 'normal',
  channel text not null,
  title text not null,
  message text not null,
  delivery_status text not null default 'pending',
  sent_at timestamptz,
  delivered_at timestamptz,
  opened_at timestamptz,
  external_id text,
  error_code text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id),
  constraint notification_logs_priority check (priority in ('low', 'normal', 'high', 'critical')),
  constraint notification_logs_channel check (channel in ('push', 'email', 'sms')),
  constraint notification_logs_status check (delivery_status in ('pending', 'sent', 'delivered', 'failed', 'opened')),
  constraint notification_logs_time_order check (delivered_at >= sent_at and opened_at >= sent_at)
);
create index notification_logs_time_idx on public.notification_logs (user_id, created_at desc);
create index notification_logs_pending_idx on public.notification_logs (created_at) where delivery_status = 'pending';

create table public.subscriptions (
  user_id uuid not null references public.users (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  plan text not null,
  tier text not null default 'free',
  status text not null default 'active',
  billing_interval text not null default 'month',
  amount private.cad not null default 0,
  gst private.cad not null default 0,
  pst private.cad not null default 0,
  hst private.cad not null default 0,
  qst private.cad not null default 0,
  currency text not null default 'CAD',
  province private.province not null,
  stripe_customer_id text,
  stripe_subscription_id text,
  trial_ends_at timestamptz,
  cooling_off_ends_at timestamptz,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id),
  constraint subscriptions_tier check (tier in ('free', 'family', 'professional')),
  constraint subscriptions_status check (status in ('trialing', 'active', 'past_due', 'canceled', 'expired')),
  constraint subscriptions_interval check (billing_interval in ('month', 'year')),
  constraint subscriptions_currency check (currency = 'CAD'),
  constraint subscriptions_time_order check (ended_at >= started_at)
);
create unique index subscriptions_running_key on public.subscriptions (user_id) where status in ('trialing', 'active', 'past_due');

create table public.payment_methods (
  user_id uuid not null references public.users (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  method_type text not null default 'card',
  card_brand text,
  card_last4 text,
  card_exp_month smallint,
  card_exp_year smallint,
  is_default boolean not null default false,
  stripe_payment_method_id text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id),
  constraint payment_methods_type check (method_type in ('card', 'acss_debit')),
  constraint payment_methods_last4 check (card_last4 ~ '^[0-9]{4}$'),
  constraint payment_methods_month check (card_exp_month between 1 and 12),
  constraint payment_methods_year check (card_exp_year between 2000 and 2100)
);
create unique index payment_methods_default_key on public.payment_methods (user_id) where is_default;

create table public.consent_records (
  user_id uuid not null references public.users (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  consent_type text not null,
  status text not null,
  consent_version text not null,
  granted_at timestamptz,
  withdrawn_at timestamptz,
  expires_at timestamptz,
  ip_address inet,
  user_agent text,
  legal_basis text,
  purpose text,
  data_categories text[] not null default '{}',
  third_parties text[] not null default '{}',
  jurisdiction text not null default 'CA',
  province private.province,
  consent_method text,
  evidence jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_id, id),
  constraint consent_records_type check (consent_type in ('privacy_policy', 'terms_of_service', 'marketing', 'analytics', 'data_sharing', 'child_data', 'emergency_data', 'cookies')),
  constraint consent_records_status check (status in ('granted', 'denied', 'withdrawn', 'expired')),
  constraint consent_records_withdrawn check ((status = 'withdrawn') = (withdrawn_at is not null)),
  constraint consent_records_time_order check (withdrawn_at >= granted_at and expires_at > granted_at)
);
create index consent_records_type_idx on public.consent_records (user_id, consent_type, granted_at desc);

create function private.refuse_key_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform private.fail('NS005', format('the key of a row of %I never changes, nor does its author', tg_table_name),
    'Insert the row under the new key and delete the old one.');
  return null;
end $$;

create function private.stamp_update() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;
comment on function private.stamp_update() is 'Sets updated_at.';

do $$
declare
  t record;
  changed text;
begin
  for t in
    select c.relname,
      (select array_agg(a.attname order by a.attnum)
       from pg_attribute a
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         and (a.attname = 'created_by' or (c.relname, a.attname) = ('family_members', 'user_id') or exists (
           select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)))) as fixed,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'updated_at') as stamped
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and c.relname in (
        'users', 'families', 'role_permissions', 'family_members', 'family_invitations', 'children', 'emergency_profiles',
        'inventory_items', 'usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics',
        'notification_preferences', 'notification_logs', 'subscriptions', 'payment_methods', 'consent_records')
    order by c.relname
  loop
    -- Supabase's default privileges give every new table to these; 0004 says who may have it.
    execute format('revoke all on public.%I from public, anon, authenticated, service_role', t.relname);
    select string_agg(format('old.%1$I is distinct from new.%1$I', f), ' or ') into changed from unnest(t.fixed) f;
    execute format(
      'create trigger %I before update on public.%I for each row when (%s) execute function private.refuse_key_change()',
      t.relname || '_fixed_key', t.relname, changed);
    execute format(
      'create trigger %I before truncate on public.%I execute function private.refuse_truncate()',
      t.relname || '_no_truncate', t.relname);
    if t.stamped then
      execute format(
        'create trigger %I before update on public.%I for each row execute function private.stamp_update()',
        t.relname || '_stamp', t.relname);
    end if;
  end loop;
end $$;

revoke execute on function private.refuse_key_change(), private.stamp_update() from public;
