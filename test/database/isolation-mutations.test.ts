import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import type { Table } from '../support/model/access-table.js';
import { compareMembers } from '../support/model/compare.js';
import { loadWorld } from '../support/model/load.js';
import { bySql, compareWeakened, inFunction, type Mutation } from '../support/model/mutate.js';
import { seededRandom } from '../support/model/random.js';
import { open, prepareAttempts } from '../support/model/sessions.js';
import type { World } from '../support/model/world.js';

// Whether a weakness is noticed must not depend on luck.
const SEED = 20_261_122;

let database: TestDatabase;
let superuser: pg.Client;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
  const owner = await open(database.owner);
  world = await loadWorld(owner, SEED, { people: 40, families: 18 });
  await owner.end();
  superuser = await open(database.superuser);
  await prepareAttempts(superuser);
});

afterAll(async () => {
  await superuser?.end();
  await database?.drop();
});

const memberFamilies = (from: string | RegExp, to: string) =>
  inFunction('private.member_families(text, text)', from, to);

const effectiveScope = (from: string | RegExp, to: string) =>
  inFunction('private.effective_scope(text, text[], text[], text)', from, to);

const policy = (name: string, table: string, clause: string) =>
  bySql(`alter policy ${name} on public.${table} ${clause}`);

const everyDay = (body: string) =>
  bySql(`create or replace function private.family_today(family_id uuid, at timestamptz) returns boolean
    language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp return ${body}`);

const MEMBERS: readonly (readonly [string, Table, Mutation])[] = [
  [
    'memberships that have expired',
    'children',
    memberFamilies(/and \(m\.access_expires_at is null[^)]*\)\)/, ''),
  ],
  [
    'memberships that are not active',
    'children',
    memberFamilies(`m.status = 'active'`, `m.status <> 'removed'`),
  ],
  ['suspended people', 'children', memberFamilies(`'suspended', 'pending_deletion'`, `'pending_deletion'`)],
  [
    'people about to be deleted',
    'children',
    memberFamilies(`'suspended', 'pending_deletion'`, `'suspended'`),
  ],
  [
    'writing to archived families',
    'inventory_items',
    memberFamilies(` and member_families.permission like '%:read'`, ''),
  ],
  ['archived families for everybody', 'children', memberFamilies(`m.role = 'family_core' and `, '')],
  ['what was denied', 'usage_logs', effectiveScope('private.permission_named(denied, permission)', 'false')],
  [
    'grants that win over denials',
    'usage_logs',
    async (client) => {
      await effectiveScope(/when private\.permission_named\(denied[^\n]*\n/, '')(client);
      await effectiveScope(
        /else \(/,
        `when private.permission_named(denied, permission) then null\n    else (`,
      )(client);
    },
  ],
  [
    'less than was granted',
    'usage_logs',
    effectiveScope('private.permission_named(granted, permission)', 'false'),
  ],
  ['denials where nothing was granted', 'usage_logs', memberFamilies(` and m.denied_permissions = '{}'`, '')],
  [
    'grants where nothing was denied',
    'emergency_profiles',
    memberFamilies(`m.granted_permissions = '{}' and `, ''),
  ],
  ['every day for those who see today', 'usage_logs', everyDay('true')],
  [
    'the day of Greenwich',
    'usage_logs',
    everyDay(`(at at time zone 'UTC')::date = (statement_timestamp() at time zone 'UTC')::date`),
  ],
  [
    'changing logs of others',
    'usage_logs',
    policy(
      'usage_logs_member_update',
      'usage_logs',
      `using (family_id = any (private.member_families('usage:update')) or family_id = any (private.member_families('usage:update', 'own')))`,
    ),
  ],
  [
    'moving a log to another day',
    'usage_logs',
    policy('usage_logs_member_update', 'usage_logs', 'with check (true)'),
  ],
  [
    'deleting logs of others',
    'usage_logs',
    policy(
      'usage_logs_member_delete',
      'usage_logs',
      `using (family_id = any (private.member_families('usage:delete')) or family_id = any (private.member_families('usage:delete', 'own')))`,
    ),
  ],
  [
    'forged authors',
    'children',
    policy(
      'children_member_insert',
      'children',
      `with check (family_id = any (private.member_families('children:insert')))`,
    ),
  ],
  [
    'rows written into any family',
    'reorder_suggestions',
    policy('reorder_suggestions_member_insert', 'reorder_suggestions', 'with check (true)'),
  ],
  [
    "everybody's emergency profiles",
    'emergency_profiles',
    policy('emergency_profiles_member_select', 'emergency_profiles', 'using (true)'),
  ],
  [
    "everybody's inventory to delete",
    'inventory_items',
    policy('inventory_items_member_delete', 'inventory_items', 'using (true)'),
  ],
  ["everybody's account", 'users', policy('users_self_select', 'users', 'using (true)')],
  [
    'consents given for others',
    'consent_records',
    policy('consent_records_self_insert', 'consent_records', 'with check (true)'),
  ],
  [
    'consents that can be deleted',
    'consent_records',
    bySql(
      'grant delete on public.consent_records to authenticated',
      'create policy weak on public.consent_records for delete to authenticated using (user_id = private.current_user_id())',
    ),
  ],
  [
    'no row security at all',
    'payment_methods',
    bySql('alter table public.payment_methods disable row level security'),
  ],
  [
    'more than the giver has',
    'family_members',
    bySql('drop trigger family_members_guard on public.family_members'),
  ],
  [
    'invitations to more than the giver has',
    'family_invitations',
    bySql('drop trigger family_invitations_guard on public.family_invitations'),
  ],
  [
    'a narrow scope handed on as a wide one',
    'family_members',
    inFunction('private.guard_membership()', /own <> 'all'/, `own = 'none'`),
  ],
  ['rows moved to another family', 'children', bySql('drop trigger children_fixed_key on public.children')],
  [
    'memberships moved to another person',
    'family_members',
    bySql('drop trigger family_members_fixed_key on public.family_members'),
  ],
  [
    "families founded in somebody else's name",
    'families',
    policy('families_member_insert', 'families', 'with check (private.account_active())'),
  ],
  [
    'families founded by unverified accounts',
    'families',
    policy('families_member_insert', 'families', 'with check (created_by = private.current_user_id())'),
  ],
  [
    'profiles of those whose membership expired',
    'families',
    inFunction('private.co_members()', /m\.access_expires_at > clock_timestamp\(\)/i, 'true'),
  ],
  [
    "all of the family's memberships for professionals",
    'family_members',
    bySql(
      `update public.role_permissions set row_scope = 'all' where role = 'professional' and permission = 'members:read'`,
    ),
  ],
  [
    'one permission too many',
    'family_invitations',
    bySql(`insert into public.role_permissions values ('extended_family', 'invitations:read', 'all')`),
  ],
  [
    'one permission too few',
    'usage_analytics',
    bySql(
      `delete from public.role_permissions where role = 'professional' and permission = 'analytics:read'`,
    ),
  ],
  [
    'permissions that members may rewrite',
    'role_permissions',
    bySql(
      'grant update on public.role_permissions to authenticated',
      'create policy weak on public.role_permissions for update to authenticated using (true)',
    ),
  ],
];

describe('the comparison for members', () => {
  test.each(MEMBERS)('notices %s', async (_name, table, mutation) => {
    const comparison = await compareWeakened(superuser, mutation, database.app.user, (client) =>
      compareMembers(client, world, seededRandom(SEED), { tables: [table], untilFound: true }),
    );
    expect(comparison.disagreements.length).toBeGreaterThan(0);
  });

  test('agrees where nothing is weakened', async () => {
    const comparison = await compareWeakened(superuser, bySql(), database.app.user, (client) =>
      compareMembers(client, world, seededRandom(SEED), { tables: ['usage_logs', 'families', 'users'] }),
    );
    expect(comparison.disagreements).toEqual([]);
  });
});
