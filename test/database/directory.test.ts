import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { DUTIES, type Duty, OPENED_BY } from '../support/model/staff-table.js';

const HOURLY = 30;
const DAILY = 120;
const PAGE = 10;
const TREMBLAYS = 25;

let database: TestDatabase;
let owner: pg.Client;
const clients: pg.Client[] = [];
const marie = randomUUID();
const family = randomUUID();

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await open(database.owner);
  await owner.query(
    `insert into public.users (id, email, first_name, last_name, display_name, status, phone_number, postal_code, province)
     values ($1, 'Marie.Gagnon@courriel.example', 'Marie', 'Gagnon', 'Marie Gagnon', 'active', '514-555-0199', 'H2X 1Y4', 'QC')`,
    [marie],
  );
  await owner.query(
    `insert into public.families (id, name, province) values ($1, 'Gagnon-Lévesque', 'QC'), (gen_random_uuid(), '%%% Ménard', 'QC'),
       (gen_random_uuid(), 'O''Brien', 'NL'), (gen_random_uuid(), 'a.*b.*c', 'ON')`,
    [family],
  );
  await owner.query(
    `insert into public.family_members (family_id, user_id, role) values ($1, $2, 'family_core')`,
    [family, marie],
  );
  await owner.query(
    `insert into public.users (email, last_name, display_name, status)
     select 'p' || i || '@courriel.example', 'Tremblay', 'Tremblay ' || i, 'active' from generate_series(1, $1::int) i`,
    [TREMBLAYS],
  );
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

afterAll(async () => {
  await owner?.end();
  await database?.drop();
});

async function session(target: ConnectionTarget, duty: Duty): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  await client.query(`set role nestsync_${duty}`);
  return client;
}

/** An operator of the test's own with a directory session, and so with a quota of its own. */
async function lookingUp(duty: Duty = 'support'): Promise<{ client: pg.Client; target: ConnectionTarget }> {
  const target = await database.makeOperator(duty);
  const client = await session(target, duty);
  await openGrant(client, duty, { kind: 'directory' });
  await client.query(`set role nestsync_${duty}`);
  return { client, target };
}

type By = 'email' | 'id' | 'name';

async function record(
  client: pg.Client,
  looking: string,
  by: By,
  query: string | null,
  after: string | null = null,
) {
  const { rows } = await client.query<{ id: string }>('select ops.look_up($1, $2, $3, $4) as id', [
    looking,
    by,
    query,
    after,
  ]);
  return rows[0]?.id ?? '';
}

async function people(client: pg.Client, by: By, query: string, after: string | null = null) {
  const id = await record(client, 'person', by, query, after);
  return (await client.query('select * from ops.directory_people($1)', [id])).rows;
}

async function families(client: pg.Client, by: By, query: string) {
  const id = await record(client, 'family', by, query);
  return (await client.query('select * from ops.directory_families($1)', [id])).rows;
}

describe('the directory', () => {
  test('finds people by whole e-mail, whole id and start of a name, masked', async () => {
    const { client } = await lookingUp();
    const masked = {
      id: marie,
      name: 'Mar…',
      email: 'M…@courriel.example',
      status: 'active',
      province: 'QC',
      families: '1',
    };
    expect(await people(client, 'email', 'MARIE.gagnon@courriel.example')).toEqual([masked]);
    expect(await people(client, 'id', marie)).toEqual([masked]);
    expect(await people(client, 'name', 'marie g')).toEqual([masked]);
    expect(await people(client, 'name', 'GAG')).toEqual([masked]);
    expect(await people(client, 'name', 'agnon')).toEqual([]);
    expect(await people(client, 'email', 'gagnon@courriel.example')).toEqual([]);
  });

  test("finds families by name, a member's e-mail and id, with masked contacts", async () => {
    const { client } = await lookingUp();
    const masked = {
      id: family,
      name: 'Gag…',
      family_type: 'personal',
      province: 'QC',
      status: 'live',
      members: '1',
      contacts: ['M…@courriel.example'],
    };
    expect(await families(client, 'name', 'gagnon-lév')).toEqual([masked]);
    expect(await families(client, 'email', 'marie.gagnon@courriel.example')).toEqual([masked]);
    expect(await families(client, 'id', family)).toEqual([masked]);
  });

  test('gives small pages, in order, one lookup each', async () => {
    const { client, target } = await lookingUp();
    const seen: string[] = [];
    for (let page = 1; ; page++) {
      const rows = await people(client, 'name', 'tremblay', seen.at(-1) ?? null);
      expect(rows.length).toBeLessThanOrEqual(PAGE);
      seen.push(...rows.map(({ id }) => id));
      if (rows.length < PAGE) {
        expect(page).toBe(Math.ceil(TREMBLAYS / PAGE));
        break;
      }
    }
    expect(new Set(seen).size).toBe(TREMBLAYS);
    const { rows } = await owner.query(
      'select count(*)::int as lookups from ops.directory_lookups where operator = $1',
      [target.user],
    );
    expect(rows).toEqual([{ lookups: 3 }]);
  });

  test.each([
    ['name', ''],
    ['name', '   '],
    ['name', 'a'],
    ['name', 'ab'],
    ['name', 'a b'],
    ['name', '%'],
    ['name', '%%%'],
    ['name', '___'],
    ['name', 'a%b%'],
    ['name', '.*'],
    ['name', '^..$'],
    ['name', '\u0001\u0002\u0003'],
    ['name', '\u200b\u200b\u200b'],
    ['name', '👪👪👪'],
    ['name', null],
    ['email', '@courriel.example'],
    ['email', 'courriel'],
    ['email', ''],
    ['email', null],
    ['id', ''],
    ['id', '%'],
    ['id', marie.slice(0, 8)],
    ['id', `${marie}' or true --`],
    ['id', null],
  ] as const)('refuses to look by %s for %j', async (by, query) => {
    const { client } = await lookingUp();
    for (const looking of ['person', 'family']) {
      await expect(record(client, looking, by, query)).rejects.toMatchObject({ code: 'NS007' });
    }
  });

  test.each([
    ['name', '%%%abc'],
    ['name', '%tremblay%'],
    ['name', 'trembla_'],
    ['name', 'trem%'],
    ['name', '(tremblay|gagnon)'],
    ['name', '.*tremblay'],
    ['name', "tremblay' or 'a'='a"],
    ['name', 'abc\u0001'],
    ['name', '\\tremblay'],
    ['email', '%@courriel.example'],
    ['email', '_1@courriel.example'],
    ['email', '*@courriel.example'],
    ['id', '00000000-0000-0000-0000-000000000000'],
  ] as const)('takes nothing as a pattern: by %s for %j nobody is found', async (by, query) => {
    const { client } = await lookingUp();
    expect(await people(client, by, query)).toEqual([]);
    expect(await families(client, by, query)).toEqual([]);
  });

  test('takes percent signs and dots as the characters they are', async () => {
    const { client } = await lookingUp();
    expect(await families(client, 'name', '%%% Mén')).toHaveLength(1);
    expect(await families(client, 'name', 'a.*b.*c')).toHaveLength(1);
    expect(await families(client, 'name', 'axxbxxc')).toEqual([]);
    expect(await families(client, 'name', "o'bri")).toHaveLength(1);
  });

  test.each([
    [null, 'name'],
    ['everybody', 'name'],
    ['person', null],
    ['person', 'phone'],
    ['person', 'province'],
  ])('looks for a person or a family only, by one of three ways: not %j by %j', async (looking, by) => {
    const { client } = await lookingUp();
    await expect(
      client.query('select ops.look_up($1, $2, $3)', [looking, by, 'tremblay']),
    ).rejects.toMatchObject({ code: 'NS007' });
  });
});

describe('a lookup', () => {
  test('answers only once it is committed, so that a rollback hides nothing that was seen', async () => {
    const { client, target } = await lookingUp();
    await client.query('begin');
    const lookup = await record(client, 'person', 'name', 'tremblay');
    await client.query('savepoint s');
    await expect(client.query('select * from ops.directory_people($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });
    await client.query('rollback to s');
    // Not from another session of the same operator either.
    const other = await session(target, 'support');
    await expect(other.query('select * from ops.directory_people($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });
    await client.query('rollback');
    await expect(client.query('select * from ops.directory_people($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });

    const committed = await record(client, 'person', 'name', 'tremblay');
    await client.query('begin');
    expect((await client.query('select * from ops.directory_people($1)', [committed])).rowCount).toBe(PAGE);
    await client.query('rollback');
    const { rows } = await owner.query(
      `select duty, operation, new_row ->> 'query' as query, reason, ticket from audit.events
       where table_name = 'ops.directory_lookups' and session_login = $1`,
      [target.user],
    );
    expect(rows).toEqual([
      {
        duty: 'support',
        operation: 'INSERT',
        query: 'tremblay',
        reason: 'caller cannot see the log',
        ticket: 'SUP-1001',
      },
    ]);
  });

  test('names the true operator and grant, and cannot be read or used by another', async () => {
    const { client, target } = await lookingUp();
    const lookup = await record(client, 'person', 'name', 'tremblay');
    const { client: other } = await lookingUp();
    await expect(other.query('select * from ops.directory_people($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });
    expect((await other.query('select 1 from ops.directory_lookups')).rowCount).toBe(0);
    expect(
      (await other.query(`select 1 from audit.readable_events where table_name = 'ops.directory_lookups'`))
        .rowCount,
    ).toBe(0);
    const { rows } = await client.query('select id, operator from ops.directory_lookups');
    expect(rows).toEqual([{ id: lookup, operator: target.user }]);

    const auditor = await session(await database.makeOperator('auditor'), 'auditor');
    const seen = await auditor.query('select operator, query from ops.directory_lookups where id = $1', [
      lookup,
    ]);
    expect(seen.rows).toEqual([{ operator: target.user, query: 'tremblay' }]);
  });

  test('for a person does not answer for a family', async () => {
    const { client } = await lookingUp();
    const lookup = await record(client, 'person', 'name', 'gagnon');
    await expect(client.query('select * from ops.directory_families($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });
  });

  test("needs a directory session that is committed, live and one's own", async () => {
    const target = await database.makeOperator('support', 'compliance');
    const client = await session(target, 'support');
    const attempt = () => record(client, 'person', 'name', 'tremblay');
    await expect(attempt()).rejects.toMatchObject({ code: 'NS002' });
    await openGrant(client, 'support', { kind: 'family', family });
    await client.query('set role nestsync_support');
    await expect(attempt()).rejects.toMatchObject({ code: 'NS002' });
    await client.query('begin');
    await client.query(`select ops.open_access('directory', 'caller lost their phone', 'SUP-1', 5)`);
    await expect(attempt()).rejects.toMatchObject({ code: 'NS002' });
    await client.query('rollback');

    const grant = await openGrant(client, 'compliance', { kind: 'directory' });
    await client.query('set role nestsync_support');
    await expect(attempt()).rejects.toMatchObject({ code: 'NS002' });
    await client.query('set role nestsync_compliance');
    const lookup = await attempt();
    await client.query('select ops.close_access($1)', [grant]);
    await expect(attempt()).rejects.toMatchObject({ code: 'NS002' });
    // What was asked before is not answered after.
    await expect(client.query('select * from ops.directory_people($1)', [lookup])).rejects.toMatchObject({
      code: 'NS002',
    });
  });

  test.each(DUTIES)('is for the duties that have it: %s', async (duty) => {
    const client = await session(await database.makeOperator(duty), duty);
    if (OPENED_BY[duty].includes('directory')) {
      await openGrant(client, duty, { kind: 'directory' });
      await client.query(`set role nestsync_${duty}`);
      expect(await people(client, 'id', marie)).toHaveLength(1);
    } else {
      await expect(record(client, 'person', 'id', marie)).rejects.toMatchObject({ code: '42501' });
      await expect(
        client.query('select * from ops.directory_people($1)', [randomUUID()]),
      ).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('the quota', () => {
  const recorded = async (login: string) =>
    (
      await owner.query<{ n: number }>(
        'select count(*)::int as n from ops.directory_lookups where operator = $1',
        [login],
      )
    ).rows[0]?.n;

  test('ends the lookups of an hour, whatever session or grant they come from', async () => {
    const { client, target } = await lookingUp();
    for (let at = 0; at < HOURLY; at++) await record(client, 'person', 'name', `tremblay ${at}`);
    await expect(record(client, 'person', 'name', 'tremblay')).rejects.toMatchObject({ code: 'NS003' });
    await openGrant(client, 'support', { kind: 'directory' });
    const again = await session(target, 'support');
    await expect(record(again, 'family', 'id', family)).rejects.toMatchObject({ code: 'NS003' });
    expect(await recorded(target.user)).toBe(HOURLY);
    // Another operator's is untouched.
    expect(await people((await lookingUp()).client, 'id', marie)).toHaveLength(1);
  });

  test('ends those of a day too', async () => {
    const { client, target } = await lookingUp();
    await record(client, 'person', 'name', 'tremblay');
    await agedLookups(target.user, DAILY - 1);
    await expect(record(client, 'person', 'name', 'tremblay')).rejects.toMatchObject({ code: 'NS003' });
  });

  async function agedLookups(login: string, count: number) {
    const superuser = await open(database.superuser);
    clients.push(superuser);
    await superuser.query('begin');
    await superuser.query('alter table ops.directory_lookups disable trigger directory_lookups_stamp');
    await superuser.query(
      `insert into ops.directory_lookups (grant_id, operator, looking_for, by, query, looked_up_at)
       select g.id, $1, 'person', 'name', 'earlier', now() - interval '3 hours'
       from ops.access_grants g, generate_series(1, $2) where g.operator = $1`,
      [login, count],
    );
    await superuser.query('alter table ops.directory_lookups enable trigger directory_lookups_stamp');
    await superuser.query('commit');
  }

  test.each(['read committed', 'repeatable read', 'serializable'])(
    'is not outrun by parallel sessions whose transactions, %s, began before',
    async (isolation) => {
      const { target } = await lookingUp();
      const sessions = await Promise.all(Array.from({ length: 6 }, () => session(target, 'support')));
      for (const client of sessions) {
        await client.query(`set default_transaction_isolation = '${isolation}'`);
        // Takes the snapshot now, before anybody has looked anything up.
        await client.query('begin; select 1 from ops.directory_lookups');
      }
      await Promise.all(
        sessions.map(async (client) => {
          for (let at = 0; at < HOURLY / 2; at++) {
            await client.query('savepoint s');
            await record(client, 'person', 'name', `tremblay ${at}`).catch(
              async (error: pg.DatabaseError) => {
                expect(error.code).toMatch(/^(NS003|NS005|40001)$/);
                await client.query('rollback to s');
              },
            );
          }
          await client.query('commit').catch(() => undefined);
        }),
      );
      expect(await recorded(target.user)).toBe(isolation === 'read committed' ? HOURLY : 0);
    },
  );

  test('is not given back by a rollback that saw anything', async () => {
    const { client, target } = await lookingUp();
    for (let at = 0; at < 3; at++) {
      const lookup = await record(client, 'person', 'name', 'tremblay');
      await client.query('begin');
      await client.query('select * from ops.directory_people($1)', [lookup]);
      await client.query('rollback');
    }
    expect(await recorded(target.user)).toBe(3);
  });
});
