import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Explanation, explainAccess } from '../../src/access/index.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type ExplainCase, randomCase } from '../support/model/explain-cases.js';
import { loadWorld } from '../support/model/load.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { attempt, open, prepareAttempts } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import type { World } from '../support/model/world.js';

const seed = testSeed();
/** With those of explain-schemas.test.ts 5,000. */
const CASES = Math.ceil(3500 * testScale());
const BATCH = 250;

let database: TestDatabase;
let world: World;
let app: pg.Client;
let session: Session;

beforeAll(async () => {
  process.stdout.write(`explain agrees: NESTCTL_TEST_SEED=${seed}\n`);
  database = await createTestDatabase();
  const owner = await open(database.owner);
  world = await loadWorld(owner, seed);
  await owner.end();
  app = await open(database.app);
  await prepareAttempts(app);
  const admin = await database.makeOperator('admin');
  const opening = await open(admin);
  await openGrant(opening, 'admin', { kind: 'break_glass' });
  await opening.end();
  session = await openSession(admin, {
    duty: 'admin',
    reason: 'a complaint to be explained',
    ticket: 'SUP-1',
  });
});

afterAll(async () => {
  await app?.end();
  await session?.close();
  await database?.drop();
});

/** What the database does with each statement as its person; undefined where something before the policies refused. */
async function decided(cases: readonly ExplainCase[]): Promise<(boolean | undefined)[]> {
  const answers: (boolean | undefined)[] = [];
  for (const one of cases) {
    await app.query('begin');
    await app.query('set local role authenticated');
    await app.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify({ sub: one.person }),
    ]);
    const [outcome] = (await attempt(app, [one.statement])).outcomes;
    await app.query('rollback');
    const { state, affected } = outcome ?? { state: 'none', affected: 0 };
    if (state === 'ok') answers.push(affected > 0);
    else if (state === '42501') answers.push(false);
    // A constraint is asked after the policies, a trigger of ours before the WITH CHECK.
    else if (state.startsWith('23')) answers.push(true);
    else if (state.startsWith('NS')) answers.push(undefined);
    else throw new Error(`${one.statement}: ${state}`);
  }
  return answers;
}

const explain = (one: ExplainCase): Promise<Explanation> =>
  explainAccess(
    session,
    {
      user: one.person,
      table: one.table,
      command: one.command,
      row: one.key === undefined ? undefined : JSON.stringify(one.key),
      values: one.values,
      reads: one.returning,
    },
    {},
  );

describe(`explain agrees with the database on our schema, NESTCTL_TEST_SEED=${seed}`, () => {
  test(`${CASES} random cases`, async () => {
    const random = seededRandom(seed + 1);
    const counted = { allowed: 0, denied: 0, triggers: 0, explained: 0 };
    const byCommand: Record<string, number> = {};
    for (let done = 0; done < CASES; done += BATCH) {
      const cases = Array.from({ length: Math.min(BATCH, CASES - done) }, () => randomCase(random, world));
      const truths = await decided(cases);
      for (const [at, one] of cases.entries()) {
        const explained = await explain(one);
        const truth = truths[at];
        if (truth === undefined) {
          counted.triggers++;
          continue;
        }
        const expected = truth ? 'allowed' : 'denied';
        // Midnight may have passed in the family's zone since the batch was tried.
        if (explained.verdict !== expected) {
          const [again] = await decided([one]);
          expect(
            (await explain(one)).verdict,
            `seed ${seed}: ${JSON.stringify({ one, explained }, null, 1)}`,
          ).toBe(again === true ? 'allowed' : 'denied');
        }
        counted[expected]++;
        if (!truth && explained.missing.length > 0) counted.explained++;
        byCommand[one.command] = (byCommand[one.command] ?? 0) + 1;
      }
    }
    process.stdout.write(`explain agrees: ${JSON.stringify({ ...counted, ...byCommand })}\n`);
    expect(counted.allowed).toBeGreaterThan(CASES / 10);
    expect(counted.denied).toBeGreaterThan(CASES / 10);
    expect(counted.triggers).toBeLessThan(CASES / 5);
    expect(counted.explained, 'every denial names what is missing').toBe(counted.denied);
    for (const command of ['select', 'insert', 'update', 'delete'])
      expect(byCommand[command]).toBeGreaterThan(CASES / 20);
  }, 900_000);
});
