import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  asMover,
  familyRows,
  makeMove,
  planMove,
  whereabouts,
  withoutFamily,
} from '../support/family-moves.js';
import { type Household, makeHouseholds } from '../support/households.js';
import { type Random, seededRandom, testScale, testSeed } from '../support/model/random.js';
import { operatorConsole } from '../support/operator-console.js';
import { randomMove } from '../support/random-moves.js';

const WHY = ['--reason', 'One household, two families', '--ticket', 'SUP-1'];
const seed = testSeed();

let database: TestDatabase;
let operator: ConnectionTarget;

beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('support');
});
afterAll(() => database?.drop());

const sleep = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

test('many random merges and splits, and their ways back, lose nothing', { timeout: 600_000 }, async () => {
  for (let at = 0; at < 40 * testScale(); at += 1) {
    const faults = await randomMove(database, seed + at, (families, work) =>
      asMover(operator, families, work),
    );
    expect(faults, `NESTCTL_TEST_SEED=${seed + at}`).toEqual([]);
  }
});

/** After an end at any moment: nothing has changed, or all that was to move has. Returns whether it has. */
async function allOrNothing(
  before: Awaited<ReturnType<typeof familyRows>>,
  giving: Household,
  taking: Household,
): Promise<boolean> {
  const after = await familyRows(database, [giving.id, taking.id]);
  expect(withoutFamily(after), `NESTCTL_TEST_SEED=${seed}`).toEqual(withoutFamily(before));
  const moved = after.get(`children ${giving.children[0]}`)?.family === taking.id;
  if (!moved) expect(whereabouts(after)).toEqual(whereabouts(before));
  else {
    const behind = [...after.values()].filter(
      ({ family, table }) =>
        family === giving.id &&
        !['family_members', 'family_invitations', 'ops.invitation_mails'].includes(table),
    );
    expect(behind).toEqual([]);
  }
  const recorded = await withConnection(database.superuser, (superuser) =>
    superuser.query('select from ops.moves where from_family = $1', [giving.id]),
  );
  expect(recorded.length).toBe(moved ? 1 : 0);
  return moved;
}

test('the console killed at any moment leaves all or nothing', { timeout: 300_000 }, async () => {
  const random = seededRandom(seed + 10_000);
  const me = await operatorConsole(database, { operator, owner: false });
  const ends = { moved: 0, not: 0 };
  for (let at = 0; at < 16; at += 1) {
    const [giving, taking] = await makeHouseholds(database, random, { logs: 600 });
    const before = await familyRows(database, [giving.id, taking.id]);
    const args = ['family', 'merge', '--from', giving.id, '--into', taking.id, '--conflict', 'all=swap'];
    const name = `F ${giving.id.slice(0, 6)}`;
    const child = startConsole([...args, '--confirm', name, ...WHY, '--json'], { env: me.env });
    const end = finished(child);
    await sleep(random.between(700, 2200));
    child.kill('SIGKILL');
    await end;
    await withConnection(database.superuser, async (superuser) => {
      const busy = () =>
        superuser.query('select from pg_stat_activity where usename = $1 and datname = $2', [
          operator.user,
          database.name,
        ]);
      while ((await busy()).length > 0) await sleep(50);
    });
    if (await allOrNothing(before, giving, taking)) ends.moved += 1;
    else ends.not += 1;
  }
  expect(ends.moved + ends.not).toBe(16);
});

test('a session ended by the server at any moment leaves all or nothing', { timeout: 300_000 }, async () => {
  const random = seededRandom(seed + 20_000);
  for (let at = 0; at < 40; at += 1) {
    const [giving, taking] = await makeHouseholds(database, random, { logs: 400 });
    const before = await familyRows(database, [giving.id, taking.id]);
    const request = { kind: 'merge', from: giving.id, to: taking.id, conflicts: { '*': 'keep' } };
    await asMover(operator, [giving.id, taking.id], async (session) => {
      const plan = await planMove(session, request);
      const { pid } = await session.one<{ pid: number }>('select pg_backend_pid() as pid');
      const move = makeMove(session, request, plan.hash).catch(() => undefined);
      await sleep(random.between(0, 300));
      await withConnection(database.superuser, (superuser) =>
        superuser.query('select pg_terminate_backend($1)', [pid]),
      );
      await move;
    }).catch(() => undefined);
    await allOrNothing(before, giving, taking);
  }
});

/** Writes to two families as an application would, until told to stop; returns the rows whose writing was confirmed. */
async function write(
  random: Random,
  families: readonly Household[],
  stopped: () => boolean,
): Promise<string[]> {
  const written: string[] = [];
  const writer = await connect(database.service);
  await writer.query('set role service_role');
  while (!stopped()) {
    const family = random.pick(families);
    const id = random.uuid();
    const statement = random.chance(0.6)
      ? ([
          'usage_logs',
          `insert into public.usage_logs (family_id, id, child_id, usage_type) values ((select family_id from public.children where id = $1), $2, $1, 'wipe_use')`,
          random.pick(family.children),
        ] as const)
      : ([
          'inventory_items',
          `insert into public.inventory_items (family_id, id, product_type, quantity_total, quantity_remaining) values ($1, $2, 'diaper', 1, 1)`,
          family.id,
        ] as const);
    const [table, text, whose] = statement;
    try {
      await writer.query(text, [whose, id]);
      written.push(`${table} ${id}`);
    } catch (error) {
      // Refused cleanly: the child or the family has gone, or the two waited for each other.
      expect(['conflict', 'deadlock', 'lock_timeout', 'reference_violated']).toContain(cleanRefusal(error));
    }
    await sleep(random.between(300, 1500));
  }
  await writer.close();
  return written;
}

function cleanRefusal(error: unknown): string {
  const { code, message } = error as { code: string; message: string };
  return message.includes('merged into') ? 'conflict' : code;
}

test('writers to both families meanwhile lose nothing', { timeout: 300_000 }, async () => {
  const random = seededRandom(seed + 30_000);
  for (let at = 0; at < 4; at += 1) {
    const [giving, taking] = await makeHouseholds(database, random, { logs: 100, both: 0 });
    const before = await familyRows(database, [giving.id, taking.id]);
    let stop = false;
    const writers = [0, 1, 2].map((n) =>
      write(seededRandom(seed + 40_000 + 10 * at + n), [giving, taking], () => stop),
    );
    const request = { kind: 'merge', from: giving.id, to: taking.id, conflicts: { '*': 'swap' } };
    const made = await asMover(operator, [giving.id, taking.id], async (session: Connection) => {
      for (let tries = 0; tries < 300; tries += 1) {
        const plan = await planMove(session, request);
        const done = await makeMove(session, request, plan.hash).catch((error: Error) => error);
        if (!(done instanceof Error)) return true;
        expect(done.message).toMatch(/have changed|deadlock|each other/);
      }
      return false;
    });
    await sleep(1000);
    stop = true;
    const written = (await Promise.all(writers)).flat();
    expect(made).toBe(true);
    const after = await familyRows(database, [giving.id, taking.id]);
    expect([...before.keys(), ...written].filter((key) => !after.has(key))).toEqual([]);
    expect(after.size).toBe(before.size + written.length);
    const stranded = [...after.values()].filter(
      ({ family, table }) =>
        family === giving.id && ['usage_logs', 'inventory_items', 'children'].includes(table),
    );
    expect(stranded).toEqual([]);
  }
});
