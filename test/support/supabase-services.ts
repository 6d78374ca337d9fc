import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { SUPABASE_OWNER } from './supabase-like.js';

/**
 * The tables that Supabase's Auth and Storage keep somebody in, with the keys, row security, rights and the refusal of deletes
 * that a project of 2026 has, after the migrations of both services. `superuser` is in a database with auth.users.
 */
export async function addSupabaseServices(superuser: ConnectionTarget): Promise<void> {
  await withConnection(superuser, (connection) =>
    connection.query(`
      alter table auth.users add column encrypted_password text, add column phone text, add column last_sign_in_at timestamptz,
        add column raw_app_meta_data jsonb, add column recovery_token text default '', add column email_change text default '';
      create table auth.identities (
        id uuid primary key default gen_random_uuid(), provider_id text not null, provider text not null,
        user_id uuid not null references auth.users on delete cascade, identity_data jsonb not null,
        email text generated always as (lower(identity_data ->> 'email')) stored, last_sign_in_at timestamptz,
        unique (provider_id, provider));
      create table auth.sessions (
        id uuid primary key, user_id uuid not null references auth.users on delete cascade,
        created_at timestamptz, user_agent text, ip inet);
      create table auth.refresh_tokens (
        id bigserial primary key, token varchar(255) unique, user_id varchar(255), revoked boolean,
        parent varchar(255), session_id uuid references auth.sessions on delete cascade);
      create table auth.mfa_factors (
        id uuid primary key, user_id uuid not null references auth.users on delete cascade, friendly_name text, secret text, phone text);
      create table auth.mfa_challenges (
        id uuid primary key, factor_id uuid not null references auth.mfa_factors on delete cascade, ip_address inet not null);
      create table auth.mfa_amr_claims (
        id uuid primary key, session_id uuid not null references auth.sessions on delete cascade, authentication_method text not null,
        unique (session_id, authentication_method));
      create table auth.one_time_tokens (
        id uuid primary key, user_id uuid not null references auth.users on delete cascade, token_type text not null,
        token_hash text not null, relates_to text not null);
      create table auth.flow_state (id uuid primary key, user_id uuid, auth_code text, provider_access_token text);
      create table auth.audit_log_entries (
        instance_id uuid, id uuid primary key, payload json, created_at timestamptz, ip_address varchar(64) not null default '');
      do $$
      declare
        t text;
      begin
        foreach t in array '{identities,sessions,refresh_tokens,mfa_factors,mfa_challenges,mfa_amr_claims,one_time_tokens,flow_state,audit_log_entries}'::text[] loop
          execute format('alter table auth.%I owner to supabase_auth_admin', t);
          execute format('alter table auth.%I enable row level security', t);
          execute format('grant all on auth.%I to ${SUPABASE_OWNER}', t);
        end loop;
      end $$;

      create schema storage;
      grant usage on schema storage to anon, authenticated, service_role, ${SUPABASE_OWNER};
      create table storage.buckets (id text primary key, name text not null, owner uuid, owner_id text, public boolean default false);
      create table storage.objects (
        id uuid primary key default gen_random_uuid(), bucket_id text references storage.buckets, name text, owner uuid, owner_id text,
        created_at timestamptz default now(), metadata jsonb,
        path_tokens text[] generated always as (string_to_array(name, '/')) stored, user_metadata jsonb);
      create unique index bucketid_objname on storage.objects (bucket_id, name);
      alter table storage.buckets enable row level security;
      alter table storage.objects enable row level security;
      grant all on storage.buckets, storage.objects to ${SUPABASE_OWNER} with grant option;
      create function storage.protect_delete() returns trigger language plpgsql as $$
      begin
        if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
          raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.' using errcode = '42501';
        end if;
        return null;
      end $$;
      create trigger protect_buckets_delete before delete on storage.buckets for each statement execute function storage.protect_delete();
      create trigger protect_objects_delete before delete on storage.objects for each statement execute function storage.protect_delete();
      insert into storage.buckets (id, name) values ('avatars', 'avatars'), ('receipts', 'receipts');`),
  );
}

/** Signs somebody up and in there, as the services would, with files in both buckets. */
export async function liveAtSupabase(
  connection: Connection,
  { id, email, files }: { id: string; email: string; files: number },
): Promise<void> {
  await connection.query(
    `with person as (select $1::uuid as id, $2::text as email),
     account as (
       insert into auth.users (id, aud, role, email, raw_user_meta_data, encrypted_password)
       select id, 'authenticated', 'authenticated', email, jsonb_build_object('full_name', 'Ursule of ' || email), '$2a$10$x' from person),
     session as (
       insert into auth.sessions (id, user_id, user_agent, ip) select gen_random_uuid(), id, 'Firefox', '203.0.113.7' from person returning id, user_id),
     token as (insert into auth.refresh_tokens (token, user_id, session_id) select 'token-' || user_id, user_id::text, id from session),
     claim as (insert into auth.mfa_amr_claims (id, session_id, authentication_method) select gen_random_uuid(), id, 'password' from session),
     factor as (
       insert into auth.mfa_factors (id, user_id, friendly_name) select gen_random_uuid(), id, 'phone of ' || email from person returning id),
     challenge as (insert into auth.mfa_challenges (id, factor_id, ip_address) select gen_random_uuid(), id, '203.0.113.7' from factor),
     one_time as (
       insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
       select gen_random_uuid(), id, 'recovery_token', 'hash', email from person),
     flow as (insert into auth.flow_state (id, user_id, auth_code) select gen_random_uuid(), id, 'code' from person),
     identity as (
       insert into auth.identities (provider_id, provider, user_id, identity_data)
       select id::text, 'email', id, jsonb_build_object('sub', id, 'email', email) from person),
     entries as (
       insert into auth.audit_log_entries (id, payload, created_at)
       select gen_random_uuid(), json_build_object('actor_id', id, 'actor_username', email, 'action', action, 'log_type', 'account'), now()
       from person, unnest('{user_signedup,login,token_refreshed}'::text[]) action)
     insert into storage.objects (bucket_id, name, owner, owner_id)
     select b, id || '/' || n || ' é.jpg', id, id::text from person, unnest('{avatars,receipts}'::text[]) b, generate_series(1, $3::integer) n`,
    [id, email, files],
  );
}
