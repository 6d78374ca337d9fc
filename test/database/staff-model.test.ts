import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { report } from '../support/model/compare.js';
import { type Columns, compareStaff, readColumns } from '../support/model/compare-staff.js';
import { loadWorld } from '../support/model/load.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { open, prepareAttempts } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import { DUTIES, type Grant, OPENED_BY } from '../support/model/staff-table.js';
import type { World } from '../support/model/world.js';

const seed = testSeed();
let database: TestDatabase;
let owner: pg.Client;
let world: World;
let columns: Columns;

beforeAll(async () => {
  process.stdout.write(`staff by model: NESTCTL_TEST_SEED=${seed}\n`);
  database = await createTestDatabase();
  owner = await open(database.owner);
  world = await loadWorld(owner, seed, { people: 48, families: 8 });
  columns = await readColumns(owner);
});

afterAll(async () => {
  await owner?.end();
  await database?.drop();
});

/** A grant of each kind that has something in its scope. */
function grants(): Grant[] {
  const random = seededRandom(seed);
  const membership = random.pick(world.memberships.filter(({ status }) => status !== 'removed'));
  const professional = world.memberships.find(
    ({ status, role }) => status === 'active' && role === 'professional',
  );
  const loner = world.people.find(({ id }) => !world.memberships.some((one) => one.person === id))?.id;
  return [
    { kind: 'none' },
    { kind: 'directory' },
    { kind: 'family', family: random.pick(world.families).id },
    { kind: 'subject', person: membership.person },
    { kind: 'subject', person: professional?.person ?? '' },
    // Somebody in no family is a data subject too.
    { kind: 'subject', person: loner ?? '' },
    { kind: 'break_glass' },
  ];
}

describe.each(DUTIES)('as %s', (duty) => {
  test('each row and column opens under the declared kinds of grant and no other', async () => {
    for (const grant of grants()) {
      if (grant.kind !== 'none' && !OPENED_BY[duty].includes(grant.kind)) {
        const client = await open(await database.makeOperator(duty));
        const attempted = openGrant(client, duty, grant);
        await expect(attempted, `${duty} opens ${grant.kind}`).rejects.toMatchObject({
          code: expect.stringMatching(/^(42501|NS004)$/),
        });
        await client.end();
        continue;
      }
      const client = await open(await database.makeOperator(duty));
      await openGrant(client, duty, grant);
      await prepareAttempts(client);
      await client.query('begin');
      await client.query(`select set_config('nestsync.reason', 'model test of staff access', true)`);
      const comparison = await compareStaff(client, world, seededRandom(seed + 2), columns, duty, grant);
      await client.query('rollback');
      await client.end();
      expect(comparison.disagreements.length, report(seed, comparison)).toBe(0);
      expect(comparison.cases).toBeGreaterThan(500);
    }
  });
});
