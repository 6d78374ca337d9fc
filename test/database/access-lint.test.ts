import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LintFinding, lintAccess } from '../../src/access/index.js';
import { Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

interface Violation {
  readonly violate: string;
  /** Instead of the remedy, where that leaves something to be decided or is not all. */
  readonly mend?: string;
  readonly object: string | RegExp;
  readonly level: 'error' | 'warning' | 'info';
}

/** A table of somebody's with rows of its own, secured as it should be. */
const NOTES = `
  create table public.notes (id bigint primary key, owner_id uuid not null, body text);
  alter table public.notes enable row level security, force row level security;
  create index notes_owner on public.notes (owner_id);
  grant select, insert, update, delete on public.notes to authenticated;
  create policy notes_own on public.notes to authenticated using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
`;
const onNotes = (policy: string) => `${NOTES} drop policy notes_own on public.notes; ${policy}`;

const VIOLATIONS: Readonly<Record<string, readonly Violation[]>> = {
  rls_disabled: [
    {
      violate:
        'alter table public.children disable row level security; drop policy children_owner_all on public.children',
      object: 'public.children',
      level: 'error',
      mend: 'alter table public.children enable row level security; create policy children_owner_all on public.children to nestsync_owner using (true) with check (true)',
    },
    {
      violate:
        'create table public.new_one (id int primary key, email text); grant select on public.new_one to anon',
      object: 'public.new_one',
      level: 'error',
      mend: 'alter table public.new_one enable row level security, force row level security; revoke all on public.new_one from anon',
    },
    {
      violate:
        'create table public.new_one (id int primary key, seen int); grant update (seen) on public.new_one to authenticated',
      object: 'public.new_one',
      level: 'error',
      mend: 'drop table public.new_one',
    },
  ],
  rls_not_forced: [
    {
      violate: 'alter table public.children no force row level security',
      object: 'public.children',
      level: 'warning',
    },
  ],
  policies_without_rls: [
    {
      violate: 'alter table ops.operators disable row level security',
      object: 'ops.operators',
      level: 'error',
    },
  ],
  rls_without_policies: [
    {
      violate:
        'create table public.new_one (id int primary key); alter table public.new_one enable row level security, force row level security; grant select on public.new_one to authenticated',
      object: 'public.new_one',
      level: 'info',
    },
  ],
  restrictive_only: [
    {
      violate: onNotes(
        'create policy notes_narrow on public.notes as restrictive to authenticated using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()))',
      ),
      object: 'public.notes',
      level: 'warning',
      mend: 'create policy notes_own on public.notes to authenticated using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()))',
    },
  ],
  policy_for_everybody: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()))',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'alter policy notes_own on public.notes to authenticated',
    },
  ],
  always_true_write: [
    {
      violate: onNotes(
        'create policy notes_all on public.notes to authenticated using (true) with check (true)',
      ),
      object: 'policy notes_all on public.notes',
      level: 'error',
      mend: 'drop policy notes_all on public.notes',
    },
    {
      violate: `${NOTES} create policy notes_any on public.notes for insert to authenticated with check (true)`,
      object: 'policy notes_any on public.notes',
      level: 'error',
      mend: 'drop policy notes_any on public.notes',
    },
    {
      violate: `${NOTES} create policy notes_gone on public.notes for delete to authenticated using (true)`,
      object: 'policy notes_gone on public.notes',
      level: 'error',
      mend: 'drop policy notes_gone on public.notes',
    },
  ],
  tautology: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id = (select auth.uid()) or true)',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id = owner_id)',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  nobody_is_everybody: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using ((select auth.uid()) is null or owner_id = (select auth.uid()))',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id = (select auth.uid()) or auth.uid() is null)',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (current_setting('app.user', true) is null or owner_id::text = current_setting('app.user', true))`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  write_without_check: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes to authenticated using (owner_id = (select auth.uid()))',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
    },
    {
      violate: onNotes(
        'create policy notes_own on public.notes for update to authenticated using (owner_id = (select auth.uid()))',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
    },
  ],
  check_looser_than_using: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for update to authenticated using (owner_id = (select auth.uid())) with check (true)',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
    },
  ],
  identity_evaluated_per_row: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id = auth.uid())',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'alter policy notes_own on public.notes using (owner_id = (select auth.uid()))',
    },
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (owner_id = (select auth.uid()) and body = current_setting('app.tag', true))`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: `alter policy notes_own on public.notes using (owner_id = (select auth.uid()) and body = (select current_setting('app.tag', true)))`,
    },
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id = private.current_user_id())',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  policy_reads_own_table: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using (owner_id in (select n.owner_id from public.notes n where n.owner_id = (select auth.uid())))',
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'alter policy notes_own on public.notes using (owner_id = (select auth.uid()))',
    },
  ],
  policy_without_index: [
    {
      violate: `${NOTES} drop index public.notes_owner`,
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'create index on public.notes (owner_id)',
    },
  ],
  volatile_function_in_policy: [
    {
      violate: `create function private.whim() returns boolean language sql volatile set search_path = pg_catalog, pg_temp as 'select true'; ${onNotes('create policy notes_own on public.notes for select to authenticated using (private.whim() and owner_id = (select auth.uid()))')}`,
      object: 'policy notes_own on public.notes',
      level: 'warning',
    },
  ],
  definer_open_search_path: [
    {
      violate: `create function private.whim() returns int language sql security definer as 'select 1'`,
      object: 'private.whim()',
      level: 'error',
    },
    {
      violate: `alter function private.current_user_id() set search_path = ''`,
      object: 'private.current_user_id()',
      level: 'error',
    },
    {
      violate: `create schema open_to_all; grant create on schema open_to_all to authenticated; alter function private.current_user_id() set search_path = open_to_all, pg_temp`,
      object: 'private.current_user_id()',
      level: 'error',
    },
  ],
  function_open_search_path: [
    {
      violate: `create function private.whim() returns boolean language sql stable as 'select true'; ${onNotes('create policy notes_own on public.notes for select to authenticated using (private.whim() and owner_id = (select auth.uid()))')}`,
      object: 'private.whim()',
      level: 'warning',
    },
    {
      violate: `create function private.whim() returns trigger language plpgsql as 'begin return null; end'; create trigger whim after insert on public.children for each row execute function private.whim()`,
      object: 'private.whim()',
      level: 'warning',
    },
  ],
  definer_function_exposed: [
    {
      violate: `create function public.whim() returns int language sql security definer set search_path = pg_catalog, pg_temp as 'select 1'; revoke execute on function public.whim() from public; grant execute on function public.whim() to authenticated`,
      object: 'public.whim()',
      level: 'warning',
    },
    {
      violate: `create function public.whim() returns int language sql security definer set search_path = pg_catalog, pg_temp as 'select 1'`,
      object: 'public.whim()',
      level: 'warning',
      mend: 'revoke execute on function public.whim() from public',
    },
  ],
  definer_view: [
    {
      violate:
        'create view public.all_children with (security_barrier) as select * from public.children; revoke all on public.all_children from public; grant select on public.all_children to authenticated',
      object: 'public.all_children',
      level: 'error',
    },
    {
      violate: `create view public.inner_children with (security_invoker) as select * from public.children; create view public.all_children with (security_barrier) as select * from public.inner_children; grant select on public.all_children to authenticated`,
      object: 'public.all_children',
      level: 'error',
    },
  ],
  view_without_barrier: [
    {
      violate:
        'create view public.some_permissions as select * from public.role_permissions where row_scope is not null; grant select on public.some_permissions to authenticated',
      object: 'public.some_permissions',
      level: 'error',
    },
  ],
  materialized_view_exposed: [
    {
      violate:
        'create materialized view public.counts as select count(*) as n from public.children; grant select on public.counts to authenticated',
      object: 'public.counts',
      level: 'warning',
    },
  ],
  foreign_table_exposed: [
    {
      violate: `create extension postgres_fdw schema private; create server elsewhere foreign data wrapper postgres_fdw; create foreign table public.away (id int) server elsewhere; grant select on public.away to authenticated`,
      object: 'public.away',
      level: 'warning',
    },
  ],
  truncate_granted: [
    {
      violate: 'grant truncate on public.children to authenticated',
      object: 'public.children',
      level: 'error',
    },
    {
      violate: 'grant trigger, references on public.children to authenticated',
      object: 'public.children',
      level: 'warning',
    },
  ],
  partition_exposed: [
    {
      violate: `create table public.measures (id int, day date, primary key (id, day)) partition by range (day);
        alter table public.measures enable row level security, force row level security;
        create policy measures_all on public.measures for select to authenticated using (id = 1);
        grant select on public.measures to authenticated;
        create table public.measures_2026 partition of public.measures for values from ('2026-01-01') to ('2027-01-01');
        grant select on public.measures_2026 to authenticated`,
      object: 'public.measures_2026',
      level: 'error',
    },
  ],
  grants_on_later_tables: [
    {
      violate:
        'alter default privileges for role nestsync_owner in schema public grant select on tables to anon',
      object: 'public',
      level: 'warning',
    },
    {
      violate: 'alter default privileges for role nestsync_owner grant insert on tables to authenticated',
      object: 'every schema',
      level: 'warning',
    },
  ],
  user_editable_claims: [
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (owner_id = (select (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'owner')::uuid))`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'error',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  auth_users_exposed: [
    {
      violate:
        'create table auth.users (id uuid primary key, email text unique); create view public.accounts as select id, email from auth.users; grant select on public.accounts to authenticated',
      object: 'public.accounts',
      level: 'error',
    },
  ],
  leakproof_function: [
    {
      violate: `create function private.whim(text) returns boolean language sql immutable leakproof set search_path = pg_catalog, pg_temp as 'select true'`,
      object: 'private.whim(text)',
      level: 'warning',
    },
  ],
  duplicate_policy: [
    {
      violate: `${NOTES} create policy notes_same on public.notes to authenticated using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()))`,
      object: 'public.notes',
      level: 'warning',
    },
  ],
  several_permissive_policies: [
    {
      violate: `${NOTES} create policy notes_read on public.notes for select to authenticated using (owner_id = (select auth.uid()) and body is null)`,
      object: 'public.notes',
      level: 'warning',
      mend: 'drop policy notes_read on public.notes',
    },
  ],
  unindexed_foreign_key: [
    {
      violate: 'drop index public.usage_logs_child_idx',
      object: /on public\.usage_logs$/,
      level: 'info',
      mend: 'create index on public.usage_logs (family_id, child_id)',
    },
  ],
  no_primary_key: [
    {
      violate: 'create table ops.new_one (id int)',
      object: 'ops.new_one',
      level: 'info',
      mend: 'drop table ops.new_one',
    },
  ],
  duplicate_index: [
    {
      violate:
        'create index once_more on ops.access_grants (operator, expires_at desc) include (duty, kind, family_id, user_id)',
      object: 'ops.access_grants',
      level: 'warning',
      mend: 'drop index ops.once_more',
    },
  ],
  extension_in_public: [
    {
      violate: 'create extension citext schema public',
      object: 'citext',
      level: 'warning',
      mend: 'drop extension citext',
    },
  ],
  hard_coded_identity: [
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (owner_id = '20000000-0000-4000-8000-000000000001')`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'drop policy notes_own on public.notes',
    },
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (owner_id = (select auth.uid()) or body = 'boss@nestsync.example')`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  condition_without_column: [
    {
      violate: onNotes(
        'create policy notes_own on public.notes for select to authenticated using ((select auth.uid()) is not null)',
      ),
      object: 'policy notes_own on public.notes',
      level: 'warning',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  anonymous_write: [
    {
      violate: `${NOTES} grant insert on public.notes to anon; create policy notes_anon on public.notes for insert to anon with check (owner_id is null)`,
      object: 'policy notes_anon on public.notes',
      level: 'warning',
      mend: 'drop policy notes_anon on public.notes; revoke all on public.notes from anon',
    },
  ],
  grant_without_policy: [
    {
      violate: `${onNotes('create policy notes_read on public.notes for select to authenticated using (owner_id = (select auth.uid()))')}`,
      object: 'public.notes',
      level: 'info',
    },
  ],
  schema_open_for_creation: [
    { violate: 'grant create on schema public to authenticated', object: 'public', level: 'error' },
    {
      violate: 'grant create on schema private to public',
      object: 'private',
      level: 'error',
      mend: 'revoke create on schema private from public',
    },
  ],
  role_past_row_security: [
    { violate: 'alter role authenticated bypassrls', object: 'authenticated', level: 'error' },
    {
      violate: 'create role mighty bypassrls; grant mighty to authenticated',
      object: 'authenticated',
      level: 'error',
    },
    {
      violate: `${NOTES} alter table public.notes no force row level security, owner to authenticated`,
      object: 'authenticated',
      level: 'error',
    },
  ],
  rule_on_secured_table: [
    {
      violate: 'create rule whim as on insert to public.children do also select 1',
      object: 'whim on public.children',
      level: 'warning',
    },
  ],
  outside_key_to_accounts: [
    {
      violate:
        'create table auth.users (id uuid primary key, email text unique); create table ops.new_one (id int primary key, email text references auth.users (email))',
      object: /on ops\.new_one$/,
      level: 'error',
    },
  ],
  identity_from_a_setting: [
    {
      violate: onNotes(
        `create policy notes_own on public.notes for select to authenticated using (owner_id::text = (select current_setting('app.user', true)))`,
      ),
      object: 'policy notes_own on public.notes',
      level: 'info',
      mend: 'drop policy notes_own on public.notes',
    },
  ],
  trigger_as_owner: [
    {
      violate: `create function private.whim() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as 'begin return null; end'; create trigger whim after insert on public.children for each row execute function private.whim()`,
      object: 'whim on public.children',
      level: 'info',
    },
  ],
};

/** Stays in the transaction that the test began, so that what it violates can be rolled back. */
class Sandbox extends Connection {
  override async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query('savepoint asked');
    try {
      return await work();
    } finally {
      await this.query('rollback to savepoint asked');
    }
  }
}

let database: TestDatabase;
let superuser: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  const { client, target } = await connect(database.superuser);
  superuser = new Sandbox(client, target);
});
afterAll(async () => {
  await superuser?.close();
  await database?.drop();
});

const counted = (findings: readonly LintFinding[]) => findings.filter(({ meant }) => meant === null);

it('every rule has a violation here', async () => {
  const { rules } = await withConnection(database.app, (connection) => lintAccess(connection));
  expect(Object.keys(VIOLATIONS)).toEqual(rules.map(({ name }) => name));
  for (const { about } of rules) expect(about).toMatch(/^[A-Z].{30,}[.]$/);
});

it('finds nothing in a clean database, whoever asks, but what a comment says is meant', async () => {
  for (const target of [
    database.owner,
    database.app,
    database.service,
    database.operators[0],
    database.superuser,
  ]) {
    const { findings } = await withConnection(target, (connection) => lintAccess(connection));
    expect(counted(findings)).toEqual([]);
    expect(findings.map(({ name, object }) => `${name} ${object}`).sort()).toEqual([
      'definer_view public.member_profiles',
      'no_primary_key audit.archived_rows',
      'no_primary_key audit.pruned_rows',
      'no_primary_key audit.unlogged_rows',
      'policy_without_index policy archive_objects_staff_select on audit.archive_objects',
    ]);
  }
});

describe.each(Object.entries(VIOLATIONS))('%s', (name, violations) => {
  it.each(violations)('finds one after: $violate', async ({ violate, mend, object, level }) => {
    const found = async () => counted((await lintAccess(superuser, { only: [name] })).findings);
    await superuser.query('begin');
    try {
      expect(await found()).toEqual([]);
      await superuser.query(violate);
      const findings = await found();
      expect(findings).toEqual([
        {
          name,
          level,
          object: typeof object === 'string' ? object : expect.stringMatching(object),
          detail: expect.stringMatching(/.{8}/),
          remedy: expect.any(String),
          meant: null,
        },
      ]);
      await superuser.query(mend ?? findings[0]?.remedy ?? '');
      expect(await found()).toEqual([]);
    } finally {
      await superuser.query('rollback');
    }
  });
});
