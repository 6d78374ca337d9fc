import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Explanation, explainAt } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { NestctlError } from '../../src/platform/errors.js';
import { recordSnapshot } from '../../src/platform/migrations/snapshot.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from './database.js';
import { askNow, randomChange, type Said } from './history.js';
import { loadWorld } from './model/load.js';
import { seededRandom, testScale, testSeed } from './model/random.js';
import { open, prepareAttempts } from './model/sessions.js';
import { openGrant } from './model/staff-sessions.js';
import type { World } from './model/world.js';
import { type OwnServer, startTestServer } from './server.js';

const seed = testSeed();

export async function adminSession(database: TestDatabase): Promise<Session> {
  const admin = await database.makeOperator('admin');
  const opening = await open(admin);
  await openGrant(opening, 'admin', { kind: 'break_glass' });
  await opening.end();
  return await openSession(admin, { duty: 'admin', reason: 'a complaint of last week', ticket: 'SUP-1' });
}

export const explainThen = (
  session: Session,
  { person, table, command, key, moment }: Omit<Said, 'allowed'>,
) => explainAt(session, { user: person, table, command, row: JSON.stringify(key), at: moment }, {});

/** Changes the world again and again, some of it in transactions that stay open for a while, and asks after each. */
async function live(
  database: TestDatabase,
  world: World,
  random: ReturnType<typeof seededRandom>,
  changes: number,
  afterwards = 0,
): Promise<Said[]> {
  const app = await open(database.app);
  await prepareAttempts(app);
  const writers = await Promise.all([open(database.owner), open(database.owner)]);
  const [writer, slow] = writers as [pg.Client, pg.Client];
  for (const client of writers) await client.query(`set lock_timeout = '50ms'`);
  for (const client of [app, ...writers]) client.on('error', () => undefined);
  const said: Said[] = [];
  const ask = async (times: number) => {
    for (let at = 0; at < times; at++) {
      const answer = await askNow(app, random, world);
      if (answer !== undefined) said.push(answer);
      await sleep(3);
    }
  };
  const change = async (client: pg.Client) => {
    for (const statement of randomChange(random, world, Date.now())) await client.query(statement);
  };
  /** Whether it was made: rules of families refuse some, a row that the other holds others. */
  const within = async (client: pg.Client, times: number) => {
    await client.query('begin');
    try {
      for (let at = 0; at < times; at++) await change(client);
      return true;
    } catch {
      await client.query('rollback');
      return false;
    }
  };
  // What a rule of families refuses at the end is undone.
  const end = (client: pg.Client, undo: boolean) =>
    client.query(undo ? 'rollback' : 'commit').catch(() => undefined);
  for (let done = 0; done < changes; done++) {
    const kept = random.chance(0.15) && (await within(slow, 1));
    if (kept) await ask(2);
    if (await within(writer, random.chance(0.2) ? 2 : 1)) await end(writer, random.chance(0.1));
    await ask(kept ? 3 : 2);
    if (kept) {
      await end(slow, random.chance(0.2));
      await ask(1);
    }
  }
  await ask(afterwards);
  await Promise.all([app, ...writers].map((client) => client.end()));
  return said;
}

interface Answered {
  readonly verdict: Explanation['verdict'] | 'absent';
  readonly notes: readonly string[];
}

async function answerOf(session: Session, said: Said): Promise<Answered> {
  try {
    return await explainThen(session, said);
  } catch (error) {
    if ((error as NestctlError).code === 'row_missing') return { verdict: 'absent', notes: [] };
    throw error;
  }
}

function expectSame({ verdict, notes }: Answered, said: Said): void {
  // Who may not see a row is told no more where it is not there.
  expect(
    verdict === 'absent' ? 'denied' : verdict,
    `seed ${seed}: ${JSON.stringify({ said, notes }, null, 1)}`,
  ).toBe(said.allowed ? 'allowed' : 'denied');
}

/** So many random changes, and after each what the database said then against what is explained of it now. */
export function explainAgreesOnThePast(times: number): void {
  const changes = Math.ceil(times * testScale());
  describe(`the past, where the server keeps commit times, NESTCTL_TEST_SEED=${seed}`, () => {
    let server: OwnServer;
    let database: TestDatabase;
    let session: Session;
    beforeAll(async () => {
      process.stdout.write(`explain at: NESTCTL_TEST_SEED=${seed}\n`);
      server = await startTestServer({ settings: { track_commit_timestamp: true } });
      await makeTemplate(server);
      database = await createTestDatabase({ server });
    });
    afterAll(async () => {
      await session?.close();
      await server?.stop();
    });

    test(`of ${changes} random changes is what the database said then`, async () => {
      const owner = await open(database.owner);
      const world = await loadWorld(owner, seed, { people: 16, families: 6 });
      await owner.end();
      const said = await live(database, world, seededRandom(seed + 1), changes);
      session = await adminSession(database);
      // With a snapshot after it too, no answer has to read the whole catalogue.
      await withConnection(database.owner, (connection) => recordSnapshot(connection, 'doctor'));
      const counted = { allowed: 0, denied: 0, absent: 0 };
      for (const one of said) {
        const answered = await answerOf(session, one);
        expectSame(answered, one);
        counted[answered.verdict as 'allowed']++;
      }
      process.stdout.write(`explain at: ${JSON.stringify({ asked: said.length, ...counted })}\n`);
      expect(said.length).toBeGreaterThan(changes * 2);
      expect(counted.allowed).toBeGreaterThan(said.length / 10);
      expect(counted.denied).toBeGreaterThan(said.length / 10);
    }, 900_000);
  });
}

/** So many rounds of asking after moments just after changes and after quiet ones, where no commit times are kept. */
export function explainDoubtsThePast(rounds: number): void {
  describe('the past, where the server keeps no commit times', () => {
    let database: TestDatabase;
    let session: Session;
    beforeAll(async () => {
      database = await createTestDatabase();
    });
    afterAll(async () => {
      await session?.close();
      await database?.drop();
    });

    test('is told where nothing was changed just before; else, and where that decides, it is unknown', async () => {
      const owner = await open(database.owner);
      const world = await loadWorld(owner, seed, { people: 12, families: 4 });
      await owner.end();
      session = await adminSession(database);
      const random = seededRandom(seed + 2);
      const counted = { told: 0, unknown: 0 };
      for (let round = 0; round < rounds; round++) {
        const busy = await live(database, world, random, 20);
        await sleep(10_500);
        const quiet = await live(database, world, random, 0, 25);
        await live(database, world, random, 10);
        await withConnection(database.owner, (connection) => recordSnapshot(connection, 'doctor'));
        for (const one of quiet) expectSame(await answerOf(session, one), one);
        for (const one of random.some(busy, 20)) {
          const answered = await answerOf(session, one);
          if (answered.verdict !== 'unknown') expectSame(answered, one);
          counted[answered.verdict === 'unknown' ? 'unknown' : 'told']++;
        }
      }
      process.stdout.write(`explain at, no commit times: ${JSON.stringify(counted)}\n`);
      expect(counted.unknown).toBeGreaterThan(0);
    }, 900_000);
  });
}
