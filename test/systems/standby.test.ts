import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from '../support/database.js';
import { TABLES } from '../support/model/access-table.js';
import { keyOf } from '../support/model/compare.js';
import { Evaluator } from '../support/model/evaluate.js';
import { loadWorld } from '../support/model/load.js';
import { testSeed } from '../support/model/random.js';
import { open } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { DUTIES } from '../support/model/staff-table.js';
import type { World } from '../support/model/world.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { type Standby, startStandby } from '../support/standby.js';

const seed = testSeed();
let primary: OwnServer;
let standby: Standby;
let database: TestDatabase;
let world: World;
const clients: pg.Client[] = [];

beforeAll(async () => {
  primary = await startTestServer();
  await makeTemplate(primary);
  database = await createTestDatabase({ server: primary });
  standby = await startStandby(primary);
  const owner = await open(database.owner);
  world = await loadWorld(owner, seed, { people: 24, families: 9 });
  await owner.end();
  await standby.catchUp();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
});

async function session(target: ConnectionTarget): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  return client;
}

const there = (target: ConnectionTarget): ConnectionTarget => ({ ...target, port: standby.port });

/** A support operator's two sessions: on the primary, and on the standby under the duty. */
async function support() {
  const target = await database.makeOperator('support');
  await standby.catchUp();
  const writing = await session(target);
  const reading = await session(there(target));
  await reading.query('set role nestsync_support');
  return { target, writing, reading };
}

const families = async (client: pg.Client) =>
  (await client.query<{ id: string }>('select id from public.families')).rows.map(({ id }) => id);

const people = async (client: pg.Client) => (await client.query('select id from public.users')).rowCount;

const familyId = (at: number) => world.families[at]?.id ?? '';

describe(`a physical standby, NESTCTL_TEST_SEED=${seed}`, () => {
  test('is one', async () => {
    const client = await session(there(database.owner));
    const { rows } = await client.query('select pg_is_in_recovery() as recovery');
    expect(rows).toEqual([{ recovery: true }]);
  });

  test('shows every person the rows that the declared access table gives them', async () => {
    const client = await session(there(database.app));
    const evaluator = new Evaluator(world);
    const wrong: string[] = [];
    let cases = 0;
    for (const { id } of world.people) {
      await client.query('begin');
      await client.query(
        `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
        [JSON.stringify({ sub: id })],
      );
      for (const table of TABLES) {
        const { rows } = await client.query<{ key: string | null; now: number }>(
          `select t.key, n.now from (select extract(epoch from statement_timestamp())::float8 * 1000 as now) n
             left join (select ${keyOf(table)} as key from public.${table}) t on true`,
        );
        evaluator.now = rows[0]?.now ?? 0;
        const seen = new Set(rows.map(({ key }) => key));
        for (const row of world.rows.filter((one) => one.table === table)) {
          cases++;
          if (evaluator.may(id, 'select', row) !== seen.has(row.key)) wrong.push(`${id} ${table} ${row.key}`);
        }
      }
      await client.query('rollback');
    }
    expect(wrong, `NESTCTL_TEST_SEED=${seed}`).toEqual([]);
    expect(cases).toBeGreaterThan(5000);
  });

  test('shows no duty anything without a grant, and lets nobody open one there', async () => {
    for (const duty of DUTIES) {
      const target = await database.makeOperator(duty);
      await standby.catchUp();
      const client = await session(there(target));
      await client.query(`set role nestsync_${duty}`);
      if (duty === 'sre' || duty === 'auditor') {
        await expect(client.query('select id from public.families')).rejects.toMatchObject({ code: '42501' });
        continue;
      }
      expect(await families(client)).toEqual([]);
      expect(await people(client)).toBe(0);
      await expect(
        client.query(`select ops.open_access('read', 'caller cannot see the log', 'SUP-1', 5, $1)`, [
          familyId(0),
        ]),
      ).rejects.toMatchObject({ code: '25006' });
    }
  });

  test('shows the granted family once the grant is replayed, and nothing once its closing is', async () => {
    const { writing, reading } = await support();
    const grant = await openGrant(writing, 'support', { kind: 'family', family: familyId(1) });
    await standby.catchUp();
    expect(await families(reading)).toEqual([familyId(1)]);
    await reading.query('begin');
    expect(await families(reading)).toEqual([familyId(1)]);
    await writing.query('set role nestsync_support');
    await writing.query('select ops.close_access($1)', [grant]);
    await standby.catchUp();
    expect(await families(reading)).toEqual([]);
    expect(await people(reading)).toBe(0);
  });

  test('shows nothing of a grant that is not committed, or was rolled back', async () => {
    const { writing, reading } = await support();
    await writing.query('begin; set local role nestsync_support');
    await writing.query(`select ops.open_access('read', 'caller cannot see the log', 'SUP-1', 5, $1)`, [
      familyId(1),
    ]);
    await standby.catchUp();
    expect(await families(reading)).toEqual([]);
    await writing.query('rollback');
    await standby.catchUp();
    expect(await families(reading)).toEqual([]);
  });

  test('ends a grant by the clock, inside a long transaction too', async () => {
    const { target, reading } = await support();
    const superuser = await session(database.superuser);
    await superuser.query('begin; alter table ops.access_grants disable trigger access_grants_stamp');
    await superuser.query(
      `insert into ops.access_grants (operator, duty, kind, family_id, reason, ticket, expires_at)
       values ($1, 'support', 'read', $2, 'caller cannot see the log', 'SUP-1', clock_timestamp() + interval '4 s')`,
      [target.user, familyId(2)],
    );
    await superuser.query('alter table ops.access_grants enable trigger access_grants_stamp; commit');
    await standby.catchUp();
    await reading.query('begin isolation level repeatable read');
    expect(await families(reading)).toEqual([familyId(2)]);
    await sleep(4200);
    expect(await families(reading)).toEqual([]);
    await reading.query('rollback');
    expect(await families(reading)).toEqual([]);
  });

  test('gives nothing for claims or settings made by hand', async () => {
    const { reading } = await support();
    for (const [name, value] of [
      ['nestsync.reason', 'a reason long enough'],
      ['nestsync.ticket', 'SUP-1'],
      ['request.jwt.claim.sub', world.people[0]?.id ?? ''],
      ['search_path', 'pg_temp, public, private, ops'],
    ]) {
      await reading.query('select set_config($1, $2, false)', [name, value]);
      expect(await families(reading), name).toEqual([]);
    }
    await reading.query('set role authenticated');
    for (const { id } of world.people) {
      await reading.query(`select set_config('request.jwt.claims', $1, false)`, [
        JSON.stringify({ sub: id }),
      ]);
      expect(await families(reading)).toEqual([]);
      expect(await people(reading)).toBe(0);
    }
  });

  test('stops a duty that was revoked on the primary', async () => {
    const { target, writing, reading } = await support();
    await openGrant(writing, 'support', { kind: 'family', family: familyId(1) });
    await standby.catchUp();
    expect(await families(reading)).toEqual([familyId(1)]);
    const owner = await session(database.owner);
    await owner.query('update ops.operator_duties set revoked_at = now() where login = $1', [target.user]);
    await standby.catchUp();
    expect(await families(reading)).toEqual([]);
  });
});
