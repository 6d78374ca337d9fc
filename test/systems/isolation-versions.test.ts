import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { TABLES } from '../support/model/access-table.js';
import { compareMembers, report, wholeTable } from '../support/model/compare.js';
import { compareStaff, readColumns } from '../support/model/compare-staff.js';
import { loadWorld } from '../support/model/load.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { attempt, open, prepareAttempts } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { DUTIES, type Grant, OPENED_BY } from '../support/model/staff-table.js';
import type { World } from '../support/model/world.js';
import { SPREAD, type SystemServer, startSystem } from '../support/servers.js';

const seed = testSeed();

describe.each(SPREAD)(`$title, NESTCTL_TEST_SEED=${seed}`, ({ version, kind }) => {
  let server: SystemServer;
  let database: TestDatabase;
  let owner: pg.Client;
  let world: World;

  beforeAll(async () => {
    server = await startSystem({ version, kind });
    database = await server.migratedDatabase();
    owner = await open(database.owner);
    world = await loadWorld(owner, seed, { people: 16, families: 7 });
  });

  afterAll(async () => {
    await owner?.end();
    await database?.drop();
    await server?.stop();
  });

  test('members: every case is decided as the declared access table does', async () => {
    const client = await open(database.app);
    await prepareAttempts(client);
    await client.query('begin');
    const comparison = await compareMembers(client, world, seededRandom(seed + 1));
    await client.query('rollback');
    await client.end();
    expect(comparison.disagreements.length, report(seed, comparison)).toBe(0);
    expect(comparison.cases).toBeGreaterThan(10_000);
  });

  test('staff: so is every case of every duty and kind of grant', async () => {
    const columns = await readColumns(owner);
    const [membership, family] = [
      world.memberships.find(({ status }) => status === 'active'),
      world.families[2],
    ];
    const grants: Grant[] = [
      { kind: 'none' },
      { kind: 'directory' },
      { kind: 'family', family: family?.id ?? '' },
      { kind: 'subject', person: membership?.person ?? '' },
      { kind: 'break_glass' },
    ];
    for (const duty of DUTIES) {
      for (const grant of grants) {
        if (grant.kind !== 'none' && !OPENED_BY[duty].includes(grant.kind)) continue;
        const client = await open(await database.makeOperator(duty));
        await openGrant(client, duty, grant);
        await prepareAttempts(client);
        await client.query('begin');
        const comparison = await compareStaff(client, world, seededRandom(seed + 2), columns, duty, grant);
        await client.query('rollback');
        await client.end();
        expect(comparison.disagreements.length, report(seed, comparison)).toBe(0);
      }
    }
  });

  test('anon reaches no table, by any command', async () => {
    const client = await open(database.app);
    await prepareAttempts(client);
    await client.query('begin; set local role anon');
    const statements = TABLES.flatMap((table) => [
      ...wholeTable(table).map(({ statement }) => statement),
      `truncate public.${table}`,
    ]);
    const { outcomes } = await attempt(client, statements);
    outcomes.forEach(({ state }, at) => {
      expect(state, statements[at]).toBe('42501');
    });
    await client.end();
  });

  test('service_role and the owner see every row', async () => {
    const service = await open(database.service);
    await service.query('set role service_role');
    for (const table of TABLES) {
      const rows = world.rows.filter((row) => row.table === table).length;
      expect((await service.query(`select 1 from public.${table}`)).rowCount, `service ${table}`).toBe(rows);
      expect((await owner.query(`select 1 from public.${table}`)).rowCount, `owner ${table}`).toBe(rows);
    }
    await service.end();
  });
});
