import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followEvents, type Place, placeOf, tokenOf } from '../../src/audit/index.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let family: SmallFamily;
let superuser: Connection;
let begun: Place;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  superuser = await connect(database.superuser);
  begun = await follower({ once: true }).end;
});
afterAll(async () => {
  await superuser.close();
  await database.drop();
});

interface Options {
  readonly from?: Place | undefined;
  readonly once?: boolean;
  /** Its connections, to be told from others. */
  readonly name?: string;
  /** Stops behind so many events. */
  readonly stopAfter?: number;
  readonly slow?: number;
}

/** Follows the changes of children, as an auditor. */
function follower({ from, once = false, name = 'follower', stopAfter, slow = 0 }: Options) {
  const seen: string[] = [];
  const tokens: string[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  let connections = 0;
  const end = followEvents(
    { filter: { table: 'children' }, from, once, interval: 20, signal: stop.signal },
    {
      session: async (work) => {
        const session = await openSession(
          database.operators[0],
          { duty: 'auditor', reason: 'testing the log', ticket: 'T-1' },
          { applicationName: name },
        );
        connections++;
        try {
          return await work(session);
        } finally {
          await session.close();
        }
      },
      show: async ({ event, place }) => {
        if (slow > 0) await sleep(slow);
        seen.push(event.id);
        tokens.push(tokenOf(place));
        if (seen.length === stopAfter) stop.abort();
      },
      tell: (message) => told.push(message),
    },
  );
  return { seen, tokens, told, end, stop: () => stop.abort(), connections: () => connections };
}

/** What was committed behind a place, in the order of transactions. */
async function committed({ xid }: Place = begun): Promise<string[]> {
  const rows = await superuser.query<{ id: string }>(
    `select e.id::text from audit.events e where e.table_name = 'public.children' and e.xid >= $1::xid8 order by e.xid, e.id`,
    [xid],
  );
  return rows.map(({ id }) => id);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error('it never came to that');
}

const rename = (connection: Connection, name: string) =>
  connection.query('update public.children set name = $1 where family_id = $2 and id = $3', [
    name,
    family.id,
    family.child,
  ]);

describe('late commits', () => {
  test('an event waits for the transactions before its own, and is then shown in their order', async () => {
    const following = follower({ from: begun });
    const [early, late, gone] = await Promise.all([1, 2, 3].map(() => connect(database.service)));
    if (early === undefined || late === undefined || gone === undefined) throw new Error('no connection');
    const other = await makeFamily(database, { name: 'Roy' });
    for (const one of [early, late, gone]) await one.query('set role service_role');
    await early.query('begin');
    await rename(early, 'Early');
    await gone.query('begin');
    await gone.query(`update public.children set name = 'Gone' where family_id = $1`, [other.id]);
    await late.query('begin');
    await late.query('insert into public.children (family_id, name, date_of_birth) values ($1, $2, $3)', [
      family.id,
      'Late',
      '2025-01-01',
    ]);
    await late.query('commit');
    await sleep(200);
    expect(following.seen.length).toBeLessThan((await committed()).length);
    await gone.query('rollback');
    await early.query('commit');
    const all = await committed();
    await until(() => following.seen.length >= all.length);
    await sleep(100);
    following.stop();
    await following.end;
    expect(following.seen).toEqual(all);
    for (const one of [early, late, gone]) await one.close();
  });

  test('what nobody may see yet is not in a token either', async () => {
    const open = await connect(database.service);
    await open.query('set role service_role');
    await open.query('begin');
    await rename(open, 'Still open');
    await asService(database, (connection) =>
      connection.query('insert into public.children (family_id, name, date_of_birth) values ($1, $2, $3)', [
        family.id,
        'Meanwhile',
        '2025-01-01',
      ]),
    );
    const first = follower({ from: begun, once: true });
    const place = await first.end;
    await open.query('commit');
    const second = follower({ from: placeOf(tokenOf(place)), once: true });
    await second.end;
    expect([...first.seen, ...second.seen]).toEqual(await committed());
    expect(second.seen.length).toBe(2);
    await open.close();
  });
});

const seed = testSeed();

test(`under random writers nothing is skipped and nothing comes twice: followed, stopped and gone on with by token, cut off (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const start = await follower({ from: begun, once: true }).end;
  let writing = true;
  const family2 = await makeFamily(database, { name: 'Gagnon' });
  const writers = Array.from({ length: 6 }, async () => {
    const connection = await connect(database.service);
    await connection.query('set role service_role');
    for (let round = 0; round < 40; round++) {
      const rows = random.between(1, 3);
      await connection.query('begin');
      for (let row = 0; row < rows; row++) {
        const inner = random.chance(0.3);
        if (inner) await connection.query('savepoint inner_part');
        await connection.query(
          `insert into public.children (family_id, name, date_of_birth) values ($1, $2, '2025-01-01')`,
          [family2.id, `Child ${round}`],
        );
        if (inner && random.chance(0.4)) await connection.query('rollback to savepoint inner_part');
        if (random.chance(0.3)) await sleep(random.between(0, 30));
      }
      await connection.query(random.chance(0.2) ? 'rollback' : 'commit');
    }
    await connection.close();
  });
  const steady = follower({ from: start });
  const cutOff = follower({ from: start, name: 'cut off', slow: 1 });
  const killing = (async () => {
    // However fast the writers are, and however slowly it comes back.
    while (writing || cutOff.connections() < 3) {
      await sleep(100);
      await superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut off'`,
      );
    }
  })();
  const restarted: string[] = [];
  const restarting = (async () => {
    let token = tokenOf(start);
    while (writing) {
      const one = follower({ from: placeOf(token), stopAfter: random.between(1, 25) });
      const timer = setTimeout(() => one.stop(), 400);
      const end = await one.end;
      clearTimeout(timer);
      restarted.push(...one.seen);
      // As a reader that keeps the last token it has seen, or the one it was told at the end.
      token = random.chance(0.5) ? (one.tokens.at(-1) ?? token) : tokenOf(end);
    }
    const last = follower({ from: placeOf(token), once: true });
    await last.end;
    restarted.push(...last.seen);
  })();
  await Promise.all(writers);
  writing = false;
  await Promise.all([killing, restarting]);
  const all = await committed(start);
  await until(() => steady.seen.length >= all.length && cutOff.seen.length >= all.length);
  await sleep(100);
  steady.stop();
  cutOff.stop();
  await Promise.all([steady.end, cutOff.end]);
  expect(all.length).toBeGreaterThan(250);
  expect(steady.seen).toEqual(all);
  expect(restarted).toEqual(all);
  expect(cutOff.seen).toEqual(all);
  // Else the test would show nothing.
  expect(cutOff.connections()).toBeGreaterThan(2);
  expect(cutOff.told.length).toBeGreaterThan(1);
});

test('what was written before a recovery was recorded and commits afterwards is not skipped, nor its order lost', async () => {
  const start = await follower({ from: begun, once: true }).end;
  const following = follower({ from: start });
  const [open, other] = await Promise.all([connect(database.service), connect(database.service)]);
  for (const one of [open, other]) await one.query('set role service_role');
  const add = (one: Connection, name: string) =>
    one.query(`insert into public.children (family_id, name, date_of_birth) values ($1, $2, '2025-01-01')`, [
      family.id,
      name,
    ]);
  await open.query('begin');
  await add(open, 'Before');
  await superuser.query(
    'insert into audit.epochs (epoch, system_identifier, timeline) select 2, system_identifier, timeline from audit.epochs',
  );
  await add(other, 'Meanwhile');
  await sleep(200);
  const waiting = follower({ from: start, once: true });
  const place = await waiting.end;
  await add(open, 'After');
  await open.query('commit');
  const rows = await superuser.query<{ id: string; epoch: number }>(
    `select e.id::text, e.epoch from audit.events e where e.table_name = 'public.children' and e.xid >= $1::xid8 order by e.epoch, e.xid, e.id`,
    [start.xid],
  );
  const all = rows.map(({ id }) => id);
  expect(rows.map(({ epoch }) => epoch)).toEqual([1, 2, 2]);
  await until(() => following.seen.length >= all.length);
  await sleep(100);
  following.stop();
  await following.end;
  expect(following.seen).toEqual(all);
  expect(waiting.seen).toEqual([]);
  const resumed = follower({ from: placeOf(tokenOf(place)), once: true });
  const end = await resumed.end;
  expect(resumed.seen).toEqual(all);
  expect(end.epoch).toBe(2);
  for (const one of [open, other]) await one.close();
});

test('on a cluster that the log does not know it refuses', async () => {
  await withConnection(database.superuser, async (connection) => {
    await connection.query('alter table audit.epochs disable trigger user');
    await connection.query(`update audit.epochs set system_identifier = 'another'`);
  });
  await expect(follower({ from: begun, once: true }).end).rejects.toMatchObject({ kind: 'conflict' });
});
