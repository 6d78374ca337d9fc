import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proveAccess } from '../../src/access/index.js';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

const asOwner = <T>(work: (owner: Connection) => Promise<T>) => withConnection(database.owner, work);
const prove = (tables: readonly string[], mutate = false) =>
  asOwner((owner) => proveAccess(owner, { mutate, alone: true, tables }));

/** Changes the database as its owner would, and changes it back. */
async function planted<T>(
  statements: readonly string[],
  mend: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const run = (list: readonly string[]) =>
    asOwner(async (owner) => {
      for (const statement of list) await owner.query(statement);
    });
  await run(statements);
  try {
    return await work();
  } finally {
    await run(mend);
  }
}

const definitionOf = (name: string) =>
  asOwner(async (owner) => {
    const { definition } = await owner.one<{ definition: string }>(
      `select pg_get_functiondef($1::regprocedure) as definition`,
      [name],
    );
    return definition;
  });

const MEMBER_FAMILIES = 'private.member_families(text, text)';
/** A helper with some text put otherwise, which must be in it. */
async function helper(name: string, from: string, to: string): Promise<{ weak: string; sound: string }> {
  const sound = await definitionOf(name);
  expect(sound).toContain(from);
  return { weak: sound.replace(from, to), sound };
}

test('holds on a clean database, and leaves nothing behind', async () => {
  const count = () =>
    asOwner((owner) =>
      owner.one(`select (select count(*) from public.users) as users, (select count(*) from public.families) as families,
        (select count(*) from audit.events) as events, (select count(*) from private.app_logins) as logins,
        (select count(*) from pg_auth_members) as memberships`),
    );
  const before = await count();
  const proof = await prove(['usage_logs', 'families', 'users', 'consent_records', 'role_permissions']);
  expect(proof).toMatchObject({
    holds: true,
    disagreements: 0,
    counterexamples: [],
    stray_rights: [],
    undeclared: [],
    mutation: null,
  });
  expect(proof.standings).toBeGreaterThan(700);
  expect(proof.attempts).toBeGreaterThan(10_000);
  expect(await count()).toEqual(before);
});

test('touches and locks no row that is there already, whatever the policies let through', async () => {
  const other = await open(database.owner);
  const person = (
    await other.query(`insert into public.users (email) values ('someone@example.ca') returning id`)
  ).rows[0].id;
  await other.query(`insert into public.payment_methods (user_id) values ($1)`, [person]);
  await planted(
    [
      'grant update, delete on public.payment_methods to authenticated',
      'create policy hole on public.payment_methods to authenticated using (true) with check (true)',
    ],
    [
      'drop policy hole on public.payment_methods',
      'revoke update, delete on public.payment_methods from authenticated',
    ],
    async () => {
      // Whoever tried to change it would wait for this, and fail after two seconds.
      await other.query('begin');
      await other.query('select from public.payment_methods where user_id = $1 for update', [person]);
      const proof = await prove(['payment_methods']).finally(() => other.query('rollback'));
      expect(proof.holds).toBe(false);
      expect(proof.counterexamples.map(({ came }) => came)).not.toContain('error 55P03');
    },
  );
  await other.query('delete from public.users where id = $1', [person]);
  await other.end();
});

interface Hole {
  readonly title: string;
  readonly table: string;
  readonly plant: () => Promise<{ weak: readonly string[]; sound: readonly string[] }>;
  readonly found: { command: string; who: RegExp; expected: string; came: string };
}

const byPolicy = (name: string, table: string, weak: string, sound: string) => async () => ({
  weak: [`alter policy ${name} on public.${table} ${weak}`],
  sound: [`alter policy ${name} on public.${table} ${sound}`],
});
const byHelper = (name: string, from: string, to: string) => async () => {
  const { weak, sound } = await helper(name, from, to);
  return { weak: [weak], sound: [sound] };
};

/** Of a hole as wide as this the first to go through is told. */
const ANYBODY = /./;

const HOLES: readonly Hole[] = [
  {
    title: 'profiles of former members are shown',
    table: 'member_profiles',
    plant: byHelper('private.co_members()', "(m.status = 'active'::text) AND ", ''),
    found: { command: 'select', who: /every family/, expected: 'ok:0', came: 'ok:1' },
  },
  {
    title: 'memberships that have expired count',
    table: 'children',
    plant: byHelper(
      MEMBER_FAMILIES,
      'and (m.access_expires_at is null or m.access_expires_at > clock_timestamp())',
      '',
    ),
    found: { command: 'select', who: /membership expired/, expected: 'ok:0', came: 'ok:1' },
  },
  {
    title: 'memberships count whatever their status',
    table: 'inventory_items',
    plant: byHelper(MEMBER_FAMILIES, `and m.status = 'active'`, ''),
    found: {
      command: 'update',
      who: /membership (invited|inactive|suspended|removed)/,
      expected: 'ok:0',
      came: 'ok:1',
    },
  },
  {
    title: 'anything may be written in',
    table: 'reorder_suggestions',
    plant: byPolicy(
      'reorder_suggestions_member_insert',
      'reorder_suggestions',
      'with check (true)',
      `with check (family_id = any ((select private.member_families('reorder:insert'))::uuid[]) and created_by = (select private.current_user_id()))`,
    ),
    found: { command: 'insert', who: ANYBODY, expected: 'refused', came: 'ok:1' },
  },
  {
    title: 'staff policies are for members too',
    table: 'emergency_profiles',
    plant: byPolicy(
      'emergency_profiles_service_all',
      'emergency_profiles',
      'to service_role, authenticated',
      'to service_role',
    ),
    found: { command: 'delete', who: ANYBODY, expected: 'ok:0', came: 'ok:1' },
  },
  {
    title: 'a policy is for everybody',
    table: 'analytics_events',
    plant: async () => ({
      weak: ['create policy hole on public.analytics_events for select using (created_by is not null)'],
      sound: ['drop policy hole on public.analytics_events'],
    }),
    found: { command: 'select', who: ANYBODY, expected: 'ok:0', came: 'ok:1' },
  },
  {
    title: 'a role is shut out of what it has',
    table: 'usage_analytics',
    plant: byPolicy(
      'usage_analytics_member_select',
      'usage_analytics',
      `using (family_id = any ((select private.member_families('analytics:read'))::uuid[]) and false)`,
      `using (family_id = any ((select private.member_families('analytics:read'))::uuid[]))`,
    ),
    found: {
      command: 'select',
      who: /^(family_core|extended_family|professional)/,
      expected: 'ok:1',
      came: 'ok:0',
    },
  },
];

describe('a hole is found, with a script that shows it by itself', () => {
  test.each(HOLES)('$title', async ({ table, plant, found }) => {
    const { weak, sound } = await plant();
    const script = await planted(weak, sound, async () => {
      const proof = await prove([table]);
      expect(proof.holds).toBe(false);
      const hit = proof.counterexamples.find(
        ({ command, who }) => command === found.command && found.who.test(who),
      );
      expect(hit, JSON.stringify(proof.counterexamples.map(({ script, ...told }) => told))).toMatchObject({
        table,
        expected: found.expected,
        came: found.came,
        reproduced: true,
      });
      expect(await runScript(hit?.script ?? '')).toEqual({ expected: found.expected, came: found.came });
      expect(await runByPsql(hit?.script ?? '')).toContain(`${found.expected}|${found.came}`);
      return hit?.script ?? '';
    });
    // Once it is mended the same script comes to what the access table says.
    expect(await runScript(script)).toEqual({ expected: found.expected, came: found.expected });
  });
});

async function runScript(script: string): Promise<{ expected: string; came: string } | undefined> {
  const client = await open(database.owner);
  const results = (await client.query(script)) as unknown as { rows: { expected: string; came: string }[] }[];
  await client.end();
  return results.find(({ rows }) => rows[0]?.came !== undefined)?.rows[0];
}

async function runByPsql(script: string): Promise<string> {
  const child = promisify(execFile)('psql', [
    '-X',
    '-A',
    '-t',
    '-v',
    'ON_ERROR_STOP=1',
    database.url(database.owner.user),
  ]);
  child.child.stdin?.end(script);
  return (await child).stdout;
}

test('rights beyond the access table are found without any row', async () => {
  await planted(
    [
      'grant truncate on public.children to authenticated',
      'grant select on public.users to anon',
      'grant update (status) on public.users to authenticated',
    ],
    [
      'revoke truncate on public.children from authenticated',
      'revoke select on public.users from anon',
      'revoke update (status) on public.users from authenticated',
    ],
    async () => {
      const proof = await prove(['role_permissions']);
      expect(proof.stray_rights.map(({ role, table, right }) => `${role} ${table} ${right}`).sort()).toEqual([
        'anon users select',
        'authenticated children truncate',
        'authenticated users update of status',
      ]);
      expect(proof.holds).toBe(false);
    },
  );
});

test('every weakness of some tables is noticed, or shown to change nothing', async () => {
  const { mutation } = await prove(
    ['reorder_suggestions', 'payment_methods', 'role_permissions', 'member_profiles'],
    true,
  );
  expect(mutation).toMatchObject({ survived: [], untried: [], score: 100 });
  expect(mutation?.noticed).toBeGreaterThan(70);
  expect(mutation?.beyond.map(({ object }) => object)).toContain('private.member_families');
  expect(mutation?.equivalent.length).toBeGreaterThan(3);
  for (const { by } of mutation?.equivalent ?? []) expect(by).not.toBe('');
});

test('a weakness that nobody could notice is told as survived', async () => {
  // A condition that asks what no model holds: whoever leaves it out changes nothing that is tried.
  const sound = `using (family_id = any ((select private.member_families('analytics:read'))::uuid[]))`;
  await planted(
    [
      `alter policy usage_analytics_member_select on public.usage_analytics
        using (family_id = any ((select private.member_families('analytics:read'))::uuid[]) and brand is distinct from 'never')`,
    ],
    [`alter policy usage_analytics_member_select on public.usage_analytics ${sound}`],
    async () => {
      const { holds, mutation } = await prove(['usage_analytics'], true);
      expect(holds).toBe(true);
      expect(mutation?.survived).toEqual([
        { object: 'usage_analytics_member_select', change: expect.stringContaining('without'), by: '' },
      ]);
      expect(mutation?.score).toBeLessThan(100);
    },
  );
});
