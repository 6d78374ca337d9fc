import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Explanation, explainAccess } from '../../src/access/index.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { type ExplainCase, randomCase } from './model/explain-cases.js';
import { loadWorld } from './model/load.js';
import { seededRandom, testScale, testSeed } from './model/random.js';
import { attempt, open, prepareAttempts } from './model/sessions.js';
import { openGrant } from './model/staff-sessions.js';
import type { World } from './model/world.js';

const seed = testSeed();
const BATCH = 250;

let database: TestDatabase;
let world: World;
let app: pg.Client;
let session: Session;

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

/** The tests that ask explain and the database about so many random cases of our schema, times NESTCTL_TEST_SCALE. */
export function explainAgreesOnMembers(count: number): void {
  const cases = Math.ceil(count * testScale());
  describe(`explain agrees with the database on our schema, NESTCTL_TEST_SEED=${seed}`, () => {
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

    test(`${cases} random cases`, async () => {
      const random = seededRandom(seed + 1);
      const counted = { allowed: 0, denied: 0, triggers: 0 };
      const unexplained: unknown[] = [];
      const byCommand: Record<string, number> = {};
      for (let done = 0; done < cases; done += BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, cases - done) }, () => randomCase(random, world));
        const truths = await decided(batch);
        for (const [at, one] of batch.entries()) {
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
          if (!truth && explained.missing.length === 0) unexplained.push({ one, explained });
          byCommand[one.command] = (byCommand[one.command] ?? 0) + 1;
        }
      }
      process.stdout.write(`explain agrees: ${JSON.stringify({ ...counted, ...byCommand })}\n`);
      expect(counted.allowed).toBeGreaterThan(cases / 10);
      expect(counted.denied).toBeGreaterThan(cases / 10);
      expect(counted.triggers).toBeLessThan(cases / 5);
      expect(unexplained.slice(0, 3), `seed ${seed}: every denial names what is missing`).toEqual([]);
      for (const command of ['select', 'insert', 'update', 'delete'])
        expect(byCommand[command]).toBeGreaterThan(cases / 20);
    }, 900_000);
  });
}
