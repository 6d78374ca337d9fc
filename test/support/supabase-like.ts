import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';

/** Stands for Supabase's `postgres`, whose name the superuser of a test server has. */
export const SUPABASE_OWNER = 'supabase_owner';
export const AUTHENTICATOR = 'authenticator';

/**
 * The roles of a new Supabase project, as far as they matter to us, owned by the platform: after supabase/postgres,
 * migrations/db/init-scripts and the demotion of `postgres`.
 */
export async function makeSupabaseRoles(
  connection: Connection,
  passwords: Readonly<Record<typeof SUPABASE_OWNER | typeof AUTHENTICATOR, string>>,
): Promise<void> {
  await connection.query(`
    create role anon nologin noinherit;
    create role authenticated nologin noinherit;
    create role service_role nologin noinherit bypassrls;
    create role ${AUTHENTICATOR} login noinherit password '${passwords[AUTHENTICATOR]}';
    create role supabase_auth_admin nologin noinherit createrole;
    create role ${SUPABASE_OWNER} login createdb createrole replication bypassrls
      password '${passwords[SUPABASE_OWNER]}';
    grant anon, authenticated, service_role to ${AUTHENTICATOR};
    grant anon, authenticated, service_role to ${SUPABASE_OWNER};
    alter role anon set statement_timeout = '3s';
    alter role authenticated set statement_timeout = '8s';
    alter role ${AUTHENTICATOR} set statement_timeout = '8s';
    alter role ${SUPABASE_OWNER} set search_path = "$user", public, extensions;
    alter role ${SUPABASE_OWNER} set statement_timeout = '2min';`);
}

/** What a new Supabase project has in its database before anybody makes a table. `superuser` is in it. */
export async function fillSupabaseDatabase(superuser: ConnectionTarget): Promise<void> {
  await withConnection(superuser, (connection) =>
    connection.query(`
      create schema extensions;
      create extension pgcrypto schema extensions;
      grant usage on schema extensions to public;
      grant all on schema extensions to ${SUPABASE_OWNER};

      create schema auth authorization supabase_auth_admin;
      grant usage on schema auth to anon, authenticated, service_role, ${SUPABASE_OWNER};
      create table auth.users (
        id uuid primary key,
        aud text,
        role text,
        email text,
        raw_user_meta_data jsonb,
        created_at timestamptz
      );
      alter table auth.users owner to supabase_auth_admin;
      alter table auth.users enable row level security;
      grant all on auth.users to ${SUPABASE_OWNER};
      create function auth.uid() returns uuid language sql stable as $$
        select coalesce(
          nullif(current_setting('request.jwt.claim.sub', true), ''),
          (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')
        )::uuid
      $$;
      create function auth.role() returns text language sql stable as $$
        select coalesce(
          nullif(current_setting('request.jwt.claim.role', true), ''),
          (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')
        )::text
      $$;
      create function auth.jwt() returns jsonb language sql stable as $$
        select coalesce(
          nullif(current_setting('request.jwt.claim', true), ''),
          nullif(current_setting('request.jwt.claims', true), '')
        )::jsonb
      $$;
      alter function auth.uid() owner to supabase_auth_admin;
      alter function auth.role() owner to supabase_auth_admin;
      alter function auth.jwt() owner to supabase_auth_admin;

      grant usage on schema public to anon, authenticated, service_role;
      alter default privileges for role ${SUPABASE_OWNER} in schema public
        grant all on tables to ${SUPABASE_OWNER}, anon, authenticated, service_role;
      alter default privileges for role ${SUPABASE_OWNER} in schema public
        grant all on functions to ${SUPABASE_OWNER}, anon, authenticated, service_role;
      alter default privileges for role ${SUPABASE_OWNER} in schema public
        grant all on sequences to ${SUPABASE_OWNER}, anon, authenticated, service_role;`),
  );
}
