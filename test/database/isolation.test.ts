import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { COMMANDS, TABLES } from '../support/model/access-table.js';
import { compareMembers, report } from '../support/model/compare.js';
import { loadWorld } from '../support/model/load.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { open, prepareAttempts } from '../support/model/sessions.js';
import type { World } from '../support/model/world.js';

const seed = testSeed();
let database: TestDatabase;
let world: World;
const clients: pg.Client[] = [];

async function session(target: TestDatabase['app']): Promise<pg.Client> {
  const client = await open(target);
  clients.push(client);
  return client;
}

beforeAll(async () => {
  process.stdout.write(`isolation by model: NESTCTL_TEST_SEED=${seed}\n`);
  database = await createTestDatabase();
  world = await loadWorld(await session(database.owner), seed);
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database?.drop();
});

describe(`isolation by model, NESTCTL_TEST_SEED=${seed}`, () => {
  test('the database decides every case as the declared access table does', async () => {
    const client = await session(database.app);
    await prepareAttempts(client);
    await client.query('begin');
    const comparison = await compareMembers(client, world, seededRandom(seed + 1));
    await client.query('rollback');
    expect(comparison.disagreements.length, report(seed, comparison)).toBe(0);
    expect(comparison.cases).toBeGreaterThan(10_000);
    for (const table of TABLES) {
      for (const command of COMMANDS) {
        expect(comparison.byTable[`${table} ${command}`], `${table} ${command}`).toBeGreaterThan(0);
      }
    }
    process.stdout.write(`isolation by model: ${comparison.cases} cases\n`);
  }, 120_000);
});
