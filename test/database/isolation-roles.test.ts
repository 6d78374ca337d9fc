import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { COMMANDS, isFamilyTable, TABLES, type Table } from '../support/model/access-table.js';
import { become, keyOf, wholeTable } from '../support/model/compare.js';
import { loadWorld } from '../support/model/load.js';
import { testSeed } from '../support/model/random.js';
import { familyValues, userValues } from '../support/model/rows.js';
import { attempt, insertStatement, open, prepareAttempts } from '../support/model/sessions.js';
import type { World } from '../support/model/world.js';

const seed = testSeed();
let database: TestDatabase;
let world: World;
let owner: pg.Client;
let app: pg.Client;
let service: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await open(database.owner);
  app = await open(database.app);
  service = await open(database.service);
  world = await loadWorld(owner, seed, { people: 12, families: 4 });
  for (const client of [owner, app, service]) await prepareAttempts(client);
});

afterAll(async () => {
  await Promise.all([owner, app, service].map((client) => client?.end()));
  await database?.drop();
});

beforeEach(async () => {
  for (const client of [owner, app, service]) await client.query('rollback; reset role');
});

/** A row of the table that the constraints accept, of an owner that is there. */
function newRow(table: Table): Record<string, unknown> {
  const id = randomUUID();
  const family = world.families[0];
  const person = world.people[0];
  if (family === undefined || person === undefined) throw new Error('an empty world');
  if (table === 'users') return { id, email: `${id}@example.ca` };
  if (table === 'families') return { id, name: 'Famille' };
  if (table === 'role_permissions')
    return { role: 'professional', permission: 'payments:read', row_scope: 'all' };
  if (table === 'family_members') {
    const taken = world.memberships.filter((one) => one.family === family.id).map((one) => one.person);
    const free = world.people.find((one) => !taken.includes(one.id));
    return {
      family_id: family.id,
      id,
      user_id: free?.id,
      role: 'professional',
      granted_permissions: [],
      denied_permissions: [],
      status: 'active',
    };
  }
  if (!isFamilyTable(table)) return { user_id: person.id, id, ...userValues(table) };
  const lists = table === 'family_invitations' ? { granted_permissions: [], denied_permissions: [] } : {};
  return { family_id: family.id, id, ...familyValues(table, family, world.now), ...lists };
}

/** Tries all four commands on all rows of all tables, and answers how far each went. */
async function everything(client: pg.Client): Promise<Map<string, { state: string; affected: number }>> {
  const tries = TABLES.flatMap((table) => [
    ...wholeTable(table)
      .filter(({ blind, command }) => blind || command === 'select')
      .map(({ statement, command }) => ({ label: `${table} ${command}`, statement })),
    { label: `${table} insert`, statement: insertStatement(table, newRow(table)) },
  ]);
  const { outcomes } = await attempt(
    client,
    tries.map(({ statement }) => statement),
  );
  return new Map(
    tries.map(({ label }, at) => [
      label,
      { state: outcomes[at]?.state ?? '', affected: outcomes[at]?.affected ?? 0 },
    ]),
  );
}

const rowCount = (table: Table) => world.rows.filter((row) => row.table === table).length;

describe(`whole roles, NESTCTL_TEST_SEED=${seed}`, () => {
  test.each(['anon', 'none'])('the app login as %s gets nothing, whatever its claims', async (role) => {
    for (const { id } of world.people.slice(0, 3)) {
      await app.query('begin');
      await app.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: id })]);
      await app.query(`set local role ${role}`);
      const outcomes = await everything(app);
      expect(outcomes.size).toBe(TABLES.length * COMMANDS.length);
      for (const [label, { state }] of outcomes) expect(state, label).toBe('42501');
      await app.query('rollback');
    }
  });

  test('service_role does everything, but leaves role_permissions to the migrations', async () => {
    await service.query('begin; set local role service_role');
    await expectEverything(service, ['insert', 'update', 'delete']);
  });

  test('the plain owner does everything', async () => {
    await owner.query('begin');
    await expectEverything(owner, []);
  });

  async function expectEverything(client: pg.Client, refusedOnPermissions: readonly string[]) {
    const outcomes = await everything(client);
    for (const table of TABLES) {
      for (const command of COMMANDS) {
        const { state, affected } = outcomes.get(`${table} ${command}`) ?? { state: '', affected: -1 };
        if (table === 'role_permissions' && refusedOnPermissions.includes(command)) {
          expect(state, `${table} ${command}`).toBe('42501');
        } else {
          expect(['ok', '23505'], `${table} ${command}`).toContain(state);
          if (state === 'ok')
            expect(affected, `${table} ${command}`).toBe(command === 'insert' ? 1 : rowCount(table));
        }
      }
    }
  }

  test('nobody truncates: not the roles, for want of the privilege, nor the owner, whom a trigger refuses', async () => {
    for (const table of TABLES) {
      await expect(owner.query(`truncate public.${table} cascade`)).rejects.toMatchObject({ code: 'NS004' });
    }
    const { rows } = await owner.query(
      `select c.oid::regclass::text as table, a.grantee::regrole::text as grantee, a.privilege_type
       from pg_class c cross join lateral aclexplode(c.relacl) a
       where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace)
         and a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
         and a.grantee <> c.relowner`,
    );
    expect(rows).toEqual([]);
  });

  test('app login without a role reaches nothing in the schemas of staff', async () => {
    for (const role of ['none', 'anon', 'authenticated']) {
      await app.query(`set role ${role}`);
      for (const table of [
        'ops.access_grants',
        'ops.operators',
        'audit.events',
        'private.app_logins',
        'private.weekly_usage',
      ]) {
        await expect(app.query(`select * from ${table}`), `${role} ${table}`).rejects.toMatchObject({
          code: '42501',
        });
      }
    }
  });
});

describe('members and their accounts', () => {
  const person = () => world.people[0]?.id ?? '';

  async function asPerson(id: string) {
    await app.query('begin');
    await become(app, id);
  }

  test.each([
    ['users', 'id'],
    ['users', 'status'],
    ['users', 'failed_login_attempts'],
    ['users', 'locked_until'],
    ['users', 'email_verified_at'],
    ['users', 'retention_date'],
    ['users', 'deleted_at'],
    ['families', 'id'],
    ['families', 'archived_at'],
    ['families', 'created_by'],
    ['families', 'created_at'],
  ])('%s.%s is not theirs to write', async (table, column) => {
    await asPerson(person());
    await expect(app.query(`update public.${table} set ${column} = default`)).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('whoever founds a family is its first family_core member, at once and once', async () => {
    await asPerson(person());
    const id = randomUUID();
    await app.query(`insert into public.families (id, name) values ($1, 'Famille Nouvelle')`, [id]);
    const { rows } = await app.query(
      'select user_id, role, status, created_by from public.family_members where family_id = $1',
      [id],
    );
    expect(rows).toEqual([
      { user_id: person(), role: 'family_core', status: 'active', created_by: person() },
    ]);
    await app.query(`update public.families set description = 'x' where id = $1`, [id]);
    await app.query(
      `insert into public.children (family_id, name, date_of_birth) values ($1, 'Zoé', '2026-01-05')`,
      [id],
    );
    const children = await app.query('select name, created_by from public.children where family_id = $1', [
      id,
    ]);
    expect(children.rows).toEqual([{ name: 'Zoé', created_by: person() }]);
  });

  test.each(['suspended', 'pending_deletion', 'pending_verification'])(
    '%s accounts found no family',
    async (status) => {
      const id = world.people.find((one) => one.status === status)?.id ?? '';
      await asPerson(id);
      await expect(app.query(`insert into public.families (name) values ('Famille')`)).rejects.toMatchObject({
        code: '42501',
      });
    },
  );

  test('an upsert changes no row that an update would not', async () => {
    const foreign = world.rows.find(
      ({ table, person: of }) => table === 'consent_records' && of !== person(),
    );
    await asPerson(person());
    await expect(
      app.query(
        `insert into public.consent_records (user_id, id, consent_type, status, consent_version)
         values ($1, $2, 'marketing', 'denied', '1') on conflict (user_id, id) do update set status = 'denied'`,
        [foreign?.person, foreign?.key],
      ),
    ).rejects.toMatchObject({ code: '42501' });
  });

  test('claims that are no person are answered with nothing or refused, never with rows', async () => {
    const claims = [
      '',
      '{}',
      '{"sub": null}',
      '{"sub": ""}',
      '{"sub": "1 or true"}',
      'null',
      '[]',
      'not json',
      '{"role": "service_role"}',
    ];
    for (const text of claims) {
      await app.query('begin');
      await app.query(
        `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
        [text],
      );
      for (const table of TABLES.filter((name) => name !== 'role_permissions')) {
        await app.query('savepoint s');
        const rows = await app.query(`select ${keyOf(table)} from public.${table}`).then(
          (result) => result.rowCount,
          async (error: pg.DatabaseError) => {
            await app.query('rollback to s');
            expect(error.code, `${text} on ${table}`).toMatch(/^22/);
            return 0;
          },
        );
        expect(rows, `${text} on ${table}`).toBe(0);
      }
      await app.query('rollback');
    }
  });
});

describe('the catalogue', () => {
  test('no function of ours can be called by everybody', async () => {
    const { rows } = await owner.query(
      `select p.oid::regprocedure::text as function from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace, 'privacy'::regnamespace)
         and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
           where a.grantee = 0 or a.grantee = 'anon'::regrole)`,
    );
    expect(rows).toEqual([]);
  });

  test('members call the helpers of their policies and nothing else', async () => {
    const { rows } = await owner.query<{ function: string }>(
      `select p.oid::regprocedure::text as function from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace, 'privacy'::regnamespace)
         and has_function_privilege('authenticated', p.oid, 'execute') order by 1`,
    );
    expect(rows.map((row) => row.function)).toEqual([
      'private.account_active()',
      'private.co_members()',
      'private.current_user_id()',
      'private.family_today(uuid,timestamp with time zone)',
      'private.member_families(text,text)',
    ]);
    await app.query('set role authenticated');
    await expect(app.query('select private.current_user_id()')).rejects.toMatchObject({ code: '42501' });
  });

  test('anon has no privilege on any table, and everybody none', async () => {
    const { rows } = await owner.query(
      `select c.oid::regclass::text as table, a.privilege_type from pg_class c cross join lateral aclexplode(c.relacl) a
       where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace, 'privacy'::regnamespace)
         and a.grantee in (0, 'anon'::regrole)
       union all
       select c.oid::regclass || '.' || t.attname, a.privilege_type from pg_class c join pg_attribute t on t.attrelid = c.oid
         cross join lateral aclexplode(t.attacl) a
       where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace)
         and a.grantee in (0, 'anon'::regrole)`,
    );
    expect(rows).toEqual([]);
  });

  test('members have exactly these privileges on whole tables', async () => {
    const { rows } = await owner.query<{ name: string; privileges: string }>(
      `select n.nspname || '.' || c.relname as name, string_agg(lower(a.privilege_type), ' ' order by a.privilege_type) as privileges
       from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a
       where n.nspname in ('public', 'private', 'audit', 'ops', 'privacy') and a.grantee = 'authenticated'::regrole
       group by 1 order by 1`,
    );
    expect(Object.fromEntries(rows.map(({ name, privileges }) => [name, privileges]))).toEqual({
      'public.analytics_events': 'insert select',
      'public.children': 'delete insert select update',
      'public.consent_records': 'insert select update',
      'public.emergency_profiles': 'delete insert select update',
      // Insert and update by column.
      'public.families': 'select',
      'public.family_invitations': 'delete insert select update',
      'public.family_members': 'delete insert select update',
      'public.family_overview': 'select',
      'public.inventory_items': 'delete insert select update',
      'public.member_profiles': 'select',
      'public.notification_logs': 'select',
      'public.notification_preferences': 'insert select update',
      'public.payment_methods': 'select',
      'public.reorder_suggestions': 'delete insert select update',
      'public.role_permissions': 'select',
      'public.subscriptions': 'select',
      'public.usage_analytics': 'select',
      'public.usage_logs': 'delete insert select update',
      // Update by column.
      'public.users': 'select',
    });
  });

  test('every table of ours has row security, enabled and forced, and no policy for everybody', async () => {
    const { rows } = await owner.query(
      `select c.oid::regclass::text as table from pg_class c
       where c.relkind in ('r', 'p') and (c.relnamespace = 'public'::regnamespace or c.oid in ('ops.access_grants'::regclass,
           'ops.operators'::regclass, 'ops.operator_duties'::regclass, 'ops.directory_lookups'::regclass, 'audit.events'::regclass))
         and not (c.relrowsecurity and c.relforcerowsecurity)
       union all
       select p.polrelid::regclass || ': ' || p.polname from pg_policy p where 0 = any (p.polroles)`,
    );
    expect(rows).toEqual([]);
  });
});
