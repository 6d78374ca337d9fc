import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { loadWorld } from '../support/model/load.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { DUTIES } from '../support/model/staff-table.js';
import type { World } from '../support/model/world.js';

let database: TestDatabase;
let world: World;
let owner: pg.Client;
let superuser: pg.Client;
const clients: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await open(database.owner);
  superuser = await open(database.superuser);
  world = await loadWorld(owner, 4711, { people: 12, families: 5 });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

afterAll(async () => {
  await Promise.all([owner, superuser].map((client) => client?.end()));
  await database?.drop();
});

async function session(target: ConnectionTarget): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  return client;
}

/** A support operator of the test's own, under the duty. */
async function support(): Promise<{ client: pg.Client; target: ConnectionTarget }> {
  const target = await database.makeOperator('support');
  const client = await session(target);
  await client.query('set role nestsync_support');
  return { client, target };
}

const familyId = (at: number) => world.families[at]?.id ?? '';

const READABLE = [
  'users',
  'families',
  'family_members',
  'family_invitations',
  'children',
  'usage_logs',
  'inventory_items',
  'reorder_suggestions',
] as const;

/** How many rows the session sees in everything that support may read at all. */
async function visible(client: pg.Client): Promise<number> {
  const counts = READABLE.map((table) => `(select count(id) from public.${table})`);
  counts.push('(select count(*) from public.family_overview)');
  counts.push('(select count(*) from audit.readable_events)', '(select count(id) from audit.events)');
  const { rows } = await client.query<{ seen: string }>(`select ${counts.join(' + ')} as seen`);
  return Number(rows[0]?.seen);
}

const openNow = (family: string) =>
  `select id from ops.open_access('read', 'caller cannot see the log', 'SUP-1002', 5, '${family}')`;

const families = async (client: pg.Client) =>
  (await client.query<{ id: string }>('select id from public.families')).rows.map(({ id }) => id);

describe('support without a live grant', () => {
  test('sees nothing', async () => {
    expect(await visible((await support()).client)).toBe(0);
  });

  test('sees nothing of a grant opened in the same transaction', async () => {
    const { client } = await support();
    await client.query('begin');
    await client.query(openNow(familyId(0)));
    expect(await visible(client)).toBe(0);
    await client.query('commit');
    expect(await visible(client)).toBeGreaterThan(0);
  });

  test('sees nothing of one opened under a savepoint, kept or rolled back', async () => {
    const { client } = await support();
    await client.query('begin; savepoint s');
    await client.query(openNow(familyId(0)));
    expect(await visible(client)).toBe(0);
    await client.query('release s');
    expect(await visible(client)).toBe(0);
    await client.query('savepoint t');
    await client.query(openNow(familyId(1)));
    await client.query('rollback to t');
    expect(await visible(client)).toBe(0);
    await client.query('rollback');
    expect(await visible(client)).toBe(0);
  });

  test('sees nothing of one opened in a block that catches its own failure', async () => {
    const { client } = await support();
    await client.query('begin');
    await client.query(`do $$ begin perform ops.open_access('read', 'caller cannot see the log', 'SUP-1', 5, '${familyId(0)}');
      if (select count(*) from public.families) > 0 then raise exception 'seen'; end if; end $$`);
    expect(await visible(client)).toBe(0);
    await client.query('rollback');
  });

  test('sees only the granted family with one, and again nothing once it is closed', async () => {
    const { client } = await support();
    const { rows } = await client.query<{ id: string }>(openNow(familyId(2)));
    expect(await families(client)).toEqual([familyId(2)]);
    for (const table of READABLE.filter((name) => name !== 'users' && name !== 'families')) {
      const found = await client.query<{ family_id: string }>(
        `select distinct family_id from public.${table}`,
      );
      expect(
        found.rows.map((row) => row.family_id),
        table,
      ).toEqual([familyId(2)]);
    }
    const people = await client.query<{ id: string }>('select id from public.users order by id');
    const members = world.memberships.filter((one) => one.family === familyId(2)).map((one) => one.person);
    expect(people.rows.map(({ id }) => id)).toEqual(members.sort());
    await client.query('select ops.close_access($1)', [rows[0]?.id]);
    expect(await visible(client)).toBe(0);
  });

  test('sees one that another session commits between two statements, until that session closes it', async () => {
    const { client, target } = await support();
    const other = await session(target);
    await other.query('set role nestsync_support');
    await client.query('begin');
    expect(await visible(client)).toBe(0);
    const { rows } = await other.query<{ id: string }>(openNow(familyId(0)));
    expect(await visible(client)).toBeGreaterThan(0);
    await other.query('select ops.close_access($1)', [rows[0]?.id]);
    expect(await visible(client)).toBe(0);
    await client.query('rollback');
  });

  test('in an old snapshot sees no grant committed since', async () => {
    const { client, target } = await support();
    const other = await session(target);
    await client.query('begin isolation level repeatable read');
    expect(await visible(client)).toBe(0);
    await other.query('set role nestsync_support');
    await other.query(openNow(familyId(0)));
    expect(await visible(client)).toBe(0);
    await client.query('rollback');
    expect(await visible(client)).toBeGreaterThan(0);
  });

  test.each(['read committed', 'repeatable read'])(
    'sees nothing after the end of one inside a %s transaction',
    async (isolation) => {
      const { client, target } = await support();
      await expireIn(target.user, 1500);
      await client.query(`begin isolation level ${isolation}`);
      expect(await families(client)).toEqual([familyId(3)]);
      await client.query('prepare again as select id from public.families');
      await sleep(1700);
      expect(await visible(client)).toBe(0);
      expect((await client.query('execute again')).rowCount).toBe(0);
      await client.query('rollback');
      expect(await visible(client)).toBe(0);
    },
  );

  test("sees nothing of other operators' grants, nor of its own under another duty", async () => {
    const { target: other } = await support();
    const colleague = await session(other);
    await openGrant(colleague, 'support', { kind: 'family', family: familyId(0) });
    expect(await visible((await support()).client)).toBe(0);

    const both = await database.makeOperator('support', 'compliance');
    const client = await session(both);
    await openGrant(client, 'compliance', { kind: 'family', family: familyId(0) });
    await client.query('set role nestsync_support');
    expect(await visible(client)).toBe(0);
    await client.query('set role nestsync_compliance');
    expect(await families(client)).toEqual([familyId(0)]);
  });

  test('sees nothing without the role, with one of its logins that inherits, or as authenticated with any claims', async () => {
    const { client } = await support();
    await client.query(openNow(familyId(0)));
    await client.query('reset role');
    await expect(client.query('select id from public.families')).rejects.toMatchObject({ code: '42501' });

    for (const { id } of world.people) {
      await client.query('set role authenticated');
      for (const setting of ['request.jwt.claims', 'request.jwt.claim.sub']) {
        const value = setting.endsWith('claims') ? JSON.stringify({ sub: id, role: 'authenticated' }) : id;
        await client.query('select set_config($1, $2, false)', [setting, value]);
        for (const table of ['users', 'families', 'children', 'emergency_profiles', 'payment_methods']) {
          expect((await client.query(`select 1 from public.${table}`)).rowCount, `${setting} ${table}`).toBe(
            0,
          );
        }
        expect((await client.query('select 1 from public.member_profiles')).rowCount).toBe(0);
        await client.query(`select set_config($1, '', false)`, [setting]);
      }
      await client.query('reset role');
    }

    await superuser.query(`alter role ${client.user} inherit`);
    await superuser.query(`grant nestsync_support to ${client.user} with inherit true`);
    const inheriting = await session({ ...database.as(client.user ?? '') });
    expect(await visible(inheriting)).toBe(0);
  });

  test('gains nothing from any setting made by hand', async () => {
    const { client } = await support();
    const settings: Record<string, string> = {
      'nestsync.reason': 'a reason long enough',
      'nestsync.ticket': 'SUP-1',
      'nestsync.duty': 'admin',
      'nestsync.operator': 'camille.roy',
      'nestsync.grant': randomUUID(),
      'nestsync.request': randomUUID(),
      'request.jwt.claims': JSON.stringify({ sub: world.people[0]?.id, role: 'service_role' }),
      'request.jwt.claim.sub': world.people[0]?.id ?? '',
      'request.jwt.claim.role': 'service_role',
      search_path: 'pg_temp, public, private, ops',
      row_security: 'on',
      application_name: 'nestctl',
      default_transaction_isolation: 'serializable',
      TimeZone: 'Pacific/Kiritimati',
      plan_cache_mode: 'force_generic_plan',
      transform_null_equals: 'on',
      check_function_bodies: 'off',
      jit: 'off',
    };
    for (const [name, value] of Object.entries(settings)) {
      await client.query('select set_config($1, $2, false)', [name, value]);
      expect(await visible(client), name).toBe(0);
    }
    for (const [name, value] of [
      ['role', 'nestsync_admin'],
      ['role', 'nestsync_compliance'],
      ['role', 'service_role'],
      ['role', database.owner.user],
      ['role', 'postgres'],
      ['session_authorization', 'camille.roy'],
      ['session_replication_role', 'replica'],
      ['allow_system_table_mods', 'on'],
    ] as const) {
      await expect(
        client.query('select set_config($1, $2, false)', [name, value]),
        name,
      ).rejects.toMatchObject({ code: '42501' });
    }
    await client.query('set row_security = off');
    await expect(client.query('select id from public.families')).rejects.toMatchObject({ code: '42501' });
  });
});

/** A grant of the support operator for family 3 that ends so many milliseconds from now; written by the owner's hand. */
async function expireIn(login: string, milliseconds: number): Promise<void> {
  await superuser.query('begin');
  await superuser.query('alter table ops.access_grants disable trigger access_grants_stamp');
  await superuser.query(
    `insert into ops.access_grants (operator, duty, kind, family_id, reason, ticket, expires_at)
     values ($1, 'support', 'read', $2, 'caller cannot see the log', 'SUP-1', clock_timestamp() + $3 * interval '1 ms')`,
    [login, familyId(3), milliseconds],
  );
  await superuser.query('alter table ops.access_grants enable trigger access_grants_stamp');
  await superuser.query('commit');
}

const TECHNICAL = [
  'audit.captured_tables',
  'audit.epochs',
  'ops.approval_rules',
  'ops.catalogue_snapshots',
  'ops.duty_permissions',
  'ops.migration_runs',
  'ops.migrations',
];

describe('duties', () => {
  test('one that is revoked, or has expired, stops at once, inside a transaction too', async () => {
    for (const end of [
      `update ops.operator_duties set revoked_at = now() where login = $1`,
      `update ops.operator_duties set granted_at = now() - interval '2 s', expires_at = now() - interval '1 s' where login = $1`,
      `update ops.operators set revoked_at = now() where login = $1`,
    ]) {
      const { client, target } = await support();
      await client.query(openNow(familyId(1)));
      await client.query('begin');
      expect(await visible(client)).toBeGreaterThan(0);
      await owner.query(end, [target.user]);
      expect(await visible(client), end).toBe(0);
      await client.query('rollback');
      expect(await visible(client), end).toBe(0);
      await expect(client.query(openNow(familyId(1))), end).rejects.toMatchObject({ code: 'NS004' });
    }
  });

  test('an impersonation ends with its grant and its duty, and reaches one person only', async () => {
    const target = await database.makeOperator('admin');
    const client = await session(target);
    await client.query('set role nestsync_admin');
    const [person, other] = [
      world.memberships[0]?.person,
      world.people.find(({ id }) => id !== world.memberships[0]?.person)?.id,
    ];
    await client.query(
      `select ops.open_access('impersonation', 'reproduce what they see', 'SUP-3', 5, user_id => $1)`,
      [person],
    );
    const seen = async (id: string | undefined, as = client) => {
      await as.query('set role authenticated');
      await as.query(`select set_config('request.jwt.claims', $1, false)`, [JSON.stringify({ sub: id })]);
      const { rows } = await as.query<{ id: string }>(
        'select id from public.users union all (select id from public.families order by id)',
      );
      return rows.map((row) => row.id);
    };
    const own = await seen(person, await session(database.app));
    expect(own.length).toBeGreaterThan(1);
    expect(await seen(person)).toEqual(own);
    expect(await seen(other)).toEqual([]);
    await owner.query('update ops.operator_duties set revoked_at = now() where login = $1', [target.user]);
    expect(await seen(person)).toEqual([]);
  });

  test.each(DUTIES)(
    'membership in nestsync_%s granted by hand, without registration, opens nothing',
    async (duty) => {
      const target = await database.makeLogin('', `nestsync_${duty}`);
      const client = await session(target);
      await client.query(`set role nestsync_${duty}`);
      for (const [kind, scope] of [
        ['read', `'${familyId(0)}'`],
        ['directory', 'null'],
        ['break_glass', 'null'],
      ] as const) {
        await expect(
          client.query(
            `select ops.open_access('${kind}', 'caller cannot see the log', 'SUP-1', 5, ${scope})`,
          ),
        ).rejects.toMatchObject({ code: expect.stringMatching(/^(NS004|42501)$/) });
      }
      const { rows } = await owner.query<{ relation: string; columns: string }>(
        `select c.oid::regclass::text as relation,
         (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
           and not a.attisdropped and has_column_privilege($1, c.oid, a.attnum, 'select')) as columns
       from pg_class c where c.relkind in ('r', 'p', 'v', 'm')
         and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'audit'::regnamespace, 'ops'::regnamespace)`,
        [`nestsync_${duty}`],
      );
      const readable = rows.filter(({ columns }) => columns !== null);
      expect(readable.length).toBeGreaterThan(3);
      const opened: string[] = [];
      for (const { relation, columns } of readable) {
        const { rowCount } = await client.query(`select ${columns} from ${relation} limit 1`);
        if (rowCount !== 0) opened.push(relation);
      }
      // What the schema is and how it came to be: no rows of anybody's.
      expect(opened.filter((name) => !TECHNICAL.includes(name))).toEqual([]);
    },
  );

  test('a registered duty without membership in its role cannot be taken', async () => {
    const target = await database.makeOperator('support');
    await superuser.query(`insert into ops.operator_duties (login, duty) values ($1, 'admin')`, [
      target.user,
    ]);
    const client = await session(target);
    await expect(client.query('set role nestsync_admin')).rejects.toMatchObject({ code: '42501' });
  });

  test('an operator changes nothing without a reason', async () => {
    const target = await database.makeOperator('admin');
    const client = await session(target);
    await openGrant(client, 'admin', { kind: 'family', family: familyId(0) });
    await client.query('set role nestsync_admin');
    await client.query(`update public.families set description = 'x' where id = $1`, [familyId(0)]);
    const { rows } = await owner.query(
      `select session_login, duty, reason, ticket from audit.events where table_name = 'public.families' and operation = 'UPDATE' order by id desc limit 1`,
    );
    expect(rows).toEqual([
      { session_login: target.user, duty: 'admin', reason: 'caller cannot see the log', ticket: 'SUP-1001' },
    ]);
  });
});

describe('the records of access', () => {
  test('are written by nobody of staff', async () => {
    for (const duty of DUTIES) {
      const client = await session(await database.makeOperator(duty));
      await client.query(`set role nestsync_${duty}`);
      for (const statement of [
        `insert into ops.access_grants (duty, kind, family_id, reason, ticket, expires_at) values ('${duty}', 'read', '${familyId(0)}', 'a long enough reason', 'SUP-1', now() + interval '1 hour')`,
        `update ops.access_grants set expires_at = now() + interval '1 day'`,
        'delete from ops.access_grants',
        'truncate ops.access_grants',
        `insert into ops.directory_lookups (grant_id, looking_for, by, query) values (gen_random_uuid(), 'person', 'name', 'abc')`,
        'delete from ops.directory_lookups',
        `insert into ops.operators (login, display_name, email) values ('x', 'x', 'x@x')`,
        `insert into ops.operator_duties (login, duty) values (session_user, 'admin')`,
        'update ops.operator_duties set revoked_at = null',
        `insert into ops.duty_permissions values ('support', 'payment_methods', 'select', 'always')`,
        'insert into private.app_logins values (session_user)',
        'select ops.register_app_login(session_user)',
        `select ops.register_operator(session_user, 'x', 'x@x', '{admin}')`,
        'delete from audit.events',
        `update audit.events set session_login = 'nobody'`,
        `select audit.erase_part(1, 1, 'x')`,
        `select audit.add_partitions(now()::date, 1)`,
        'alter table public.families disable row level security',
        `alter policy families_staff_select on public.families using (true)`,
      ]) {
        await expect(client.query(statement), `${duty}: ${statement}`).rejects.toMatchObject({
          code: '42501',
        });
      }
    }
  });

  test('name the true operator, time and transaction, whoever writes them', async () => {
    await superuser.query('begin');
    const { rows } = await superuser
      .query(
        `insert into ops.access_grants (operator, duty, kind, family_id, reason, ticket, expires_at, opened_at, opened_xid, closed_at)
       values ('camille.roy', 'support', 'read', $1, 'a long enough reason', 'SUP-1', clock_timestamp() + interval '1 hour', now() - interval '3 days', '3', null)
       returning operator, opened_at > now() - interval '1 minute' as lately, opened_xid = pg_current_xact_id() as current`,
        [familyId(0)],
      )
      .catch((error: pg.DatabaseError) => ({ rows: [{ code: error.code }] }));
    await superuser.query('rollback');
    // postgres is no operator: the operator that was named has been replaced by it, which the foreign key refuses.
    expect(rows).toEqual([{ code: '23503' }]);
  });

  test('are opened only with a reason, a ticket, a scope that exists and a length that is allowed', async () => {
    const { client } = await support();
    const family = familyId(0);
    const cases: [string, string][] = [
      [`'read', '', 'SUP-1', 5, '${family}'`, 'NS001'],
      [`'read', '  short  ', 'SUP-1', 5, '${family}'`, 'NS001'],
      [`'read', 'a long enough reason', '', 5, '${family}'`, 'NS001'],
      [`'read', 'a long enough reason', 'no ticket', 5, '${family}'`, 'NS001'],
      [`'read', 'a long enough reason', null, 5, '${family}'`, 'NS001'],
      [`'read', 'a long enough reason', 'SUP-1', 0, '${family}'`, 'NS007'],
      [`'read', 'a long enough reason', 'SUP-1', 481, '${family}'`, 'NS007'],
      [`'read', 'a long enough reason', 'SUP-1', null, '${family}'`, 'NS007'],
      [`'read', 'a long enough reason', 'SUP-1', 5`, 'NS007'],
      [`'read', 'a long enough reason', 'SUP-1', 5, '${family}', '${world.people[0]?.id}'`, 'NS007'],
      [`'read', 'a long enough reason', 'SUP-1', 5, '${randomUUID()}'`, 'NS006'],
      [`'impersonation', 'a long enough reason', 'SUP-1', 5, null, '${world.people[0]?.id}'`, 'NS004'],
      [`'break_glass', 'a long enough reason', 'SUP-1', 5`, 'NS004'],
      [`'everything', 'a long enough reason', 'SUP-1', 5`, '23514'],
      [`null, 'a long enough reason', 'SUP-1', 5`, '23502'],
    ];
    for (const [given, code] of cases) {
      await expect(client.query(`select ops.open_access(${given})`), given).rejects.toMatchObject({ code });
    }
    expect((await client.query('select 1 from ops.access_grants')).rowCount).toBe(0);
  });

  test('are closed by their own operator only, and once', async () => {
    const { client } = await support();
    const { rows } = await client.query<{ id: string }>(openNow(familyId(0)));
    const { client: other } = await support();
    expect((await other.query('select 1 from ops.access_grants')).rowCount).toBe(0);
    await expect(other.query('select ops.close_access($1)', [rows[0]?.id])).rejects.toMatchObject({
      code: 'NS006',
    });
    await client.query('select ops.close_access($1)', [rows[0]?.id]);
    await expect(client.query('select ops.close_access($1)', [rows[0]?.id])).rejects.toMatchObject({
      code: 'NS005',
    });
  });

  test('stay in the audit log with who, why and for whom', async () => {
    const { client, target } = await support();
    const { rows } = await client.query<{ id: string }>(openNow(familyId(4)));
    const events = await owner.query(
      `select operation, duty, family_id, reason, ticket from audit.events
       where table_name = 'ops.access_grants' and record_id = $1 and session_login = $2`,
      [rows[0]?.id, target.user],
    );
    expect(events.rows).toEqual([
      {
        operation: 'INSERT',
        duty: 'support',
        family_id: familyId(4),
        reason: 'caller cannot see the log',
        ticket: 'SUP-1002',
      },
    ]);
  });
});
