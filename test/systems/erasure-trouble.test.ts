import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { serverUser } from '../../src/platform/local/run-as.js';
import { createTestDatabase, makeTemplate, type TestDatabase, targetOn } from '../support/database.js';
import { type ErasingConsole, erasingConsole, familyOfOne } from '../support/erasing-console.js';
import { brokenLeaves } from '../support/erasures.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';
import { type Standby, startStandby } from '../support/standby.js';

const WHY = ['--reason', 'a test of bad days', '--ticket', 'DSR-9'];
const LOGS = 6_000;

let server: OwnServer;
let database: TestDatabase;
let erasing: ErasingConsole;
beforeAll(async () => {
  server = await startTestServer();
  await makeTemplate(server);
  database = await createTestDatabase({ server });
  erasing = await erasingConsole(database);
}, 300_000);
afterAll(() => server?.stop());

interface Due {
  readonly family: SmallFamily;
  readonly number: string;
  readonly marker: string;
}

/** Somebody alone in a family with logs, all of which the audit log has too; due. */
async function due(): Promise<Due> {
  const family = await familyOfOne(database, `Ouellet-${Math.random().toString(36).slice(2)}`);
  const marker = `note of ${family.name}`;
  await asService(database, (connection) =>
    connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes) select $1, $2, 'diaper_change', $3 from generate_series(1, $4::integer)`,
      [family.id, family.child, marker, LOGS],
    ),
  );
  return { family, marker, number: await erasing.due(family.core.id) };
}

const run = (number: string) => erasing.me.json(['erasure', 'run', number, '--confirm', number, ...WHY]);

/** As it would have been without any trouble: all is gone, each row counted once, and the log verifies. */
async function expectErased({ number, marker }: Due): Promise<void> {
  const { body } = await erasing.me.json(['erasure', 'show', number]);
  expect(body.result.erasure.state, JSON.stringify(body)).toBe('proven');
  const [left] = await withConnection(database.superuser, (connection) =>
    connection.query<Record<string, number>>(
      `select (select count(*)::int from public.usage_logs where notes = $1) as logs,
         (select count(*)::int from audit.events where concat(old_row, new_row) like '%' || $1 || '%') as events,
         (select s.rows::int from privacy.erasure_steps s join privacy.erasures e on e.id = s.erasure_id
          where e.request = $2 and s.table_name = 'public.usage_logs' and s.does = 'delete') as counted`,
      [marker, number],
    ),
  );
  expect(left).toEqual({ logs: 0, events: 0, counted: LOGS + 1 });
  expect(await brokenLeaves(erasing.officer)).toBe(0);
}

/** A writer's connection. */
async function writing<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(database.superuser);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

const isWaiting = () =>
  withConnection(database.superuser, async (connection) => {
    const { waits } = await connection.one<{ waits: boolean }>(
      `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%erase_batch%') as waits`,
    );
    return waits;
  });

test('rows that somebody else holds are waited for', async () => {
  const one = await due();
  const ends = await writing(async (writer) => {
    await writer.query('begin');
    await writer.query(
      `select from public.usage_logs where family_id = $1 order by id desc limit 10 for update`,
      [one.family.id],
    );
    const running = run(one.number);
    await expect.poll(isWaiting, { timeout: 30_000 }).toBe(true);
    // Longer than one try waits.
    await sleep(6_000);
    await writer.query('commit');
    return await running;
  });
  expect(ends.code, JSON.stringify(ends.body)).toBe(8);
  await expectErased(one);
});

test('a deadlock is tried again, and costs nobody else their work', async () => {
  const one = await due();
  const ends = await writing(async (writer) => {
    // It waits with its own search for deadlocks, so that the other one is ended.
    await writer.query(`set deadlock_timeout = '1min'`);
    await writer.query('begin');
    const touch = (order: string) =>
      writer.query(
        `update public.usage_logs set quantity_used = 7 where (family_id, id) in (
           select family_id, id from public.usage_logs where family_id = $1 order by id ${order} limit 1)`,
        [one.family.id],
      );
    await touch('desc');
    const running = run(one.number);
    await expect.poll(isWaiting, { timeout: 30_000 }).toBe(true);
    await touch('asc');
    await writer.query('commit');
    return await running;
  });
  expect(ends.code, JSON.stringify(ends.body)).toBe(8);
  const { deadlocks } = await withConnection(database.superuser, (connection) =>
    connection.one<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    ),
  );
  expect(deadlocks).toBeGreaterThan(0);
  await expectErased(one);
});

test('a connection that is cut ends the run, and the next one goes on', async () => {
  const one = await due();
  // Without a look at its receipt, which tells of what it could still ask for.
  const running = erasing.me.run(['erasure', 'run', one.number, '--confirm', one.number, ...WHY, '--json']);
  await expect
    .poll(
      () =>
        withConnection(database.superuser, async (connection) => {
          const { cut } = await connection.one<{ cut: number }>(
            `select count(pg_terminate_backend(pid))::int as cut from pg_stat_activity where query like '%erase_batch%' and pid <> pg_backend_pid() and usename = $1`,
            [erasing.officer.user],
          );
          return cut;
        }),
      { timeout: 30_000, interval: 20 },
    )
    .toBeGreaterThan(0);
  const { code, stdout } = await running;
  const { error } = JSON.parse(stdout);
  expect([code, error.code], stdout).toEqual([1, 'connection_lost']);
  expect((await run(one.number)).code).toBe(8);
  await expectErased(one);
});

test('a disk that is full ends the run with nothing half done, and the next one goes on', async () => {
  const one = await due();
  const postmaster = (await readFile(join(server.data, 'postmaster.pid'), 'utf8')).split('\n')[0] ?? '';
  // Its own user may.
  const user = await serverUser();
  const limit = (bytes: string) =>
    promisify(execFile)('prlimit', ['--pid', postmaster, `--fsize=${bytes}:`], { ...user });
  const largest = await withConnection(database.superuser, (connection) =>
    connection.one<{ size: string }>(
      `select max(pg_relation_size(c.oid))::text as size from pg_class c where c.relname like 'events_modification%' and c.relkind = 'r'`,
    ),
  );
  // Sessions that begin now cannot write a file beyond this, as on a disk that is full, but for the number of the error: the
  // log does not take the new versions.
  await limit(largest.size);
  const full = await run(one.number);
  await limit('unlimited');
  expect(full.code, JSON.stringify(full.body)).toBe(1);
  const last = await run(one.number);
  expect(last.code, JSON.stringify(last.body)).toBe(8);
  await expectErased(one);
});

test('writers who enter rows for them meanwhile: none survives', async () => {
  const one = await due();
  let over = false;
  const running = run(one.number);
  await expect
    .poll(
      () =>
        withConnection(database.superuser, async (connection) => {
          const { begun } = await connection.one<{ begun: boolean }>(
            'select begun_at is not null as begun from privacy.erasures where request = $1',
            [one.number],
          );
          return begun;
        }),
      { timeout: 30_000, interval: 20 },
    )
    .toBe(true);
  const writers = asService(database, async (connection) => {
    let written = 0;
    for (; !over; written += 1)
      await connection
        .query(
          `insert into public.usage_logs (family_id, child_id, usage_type, notes) values ($1, $2, 'diaper_change', $3)`,
          [one.family.id, one.family.child, one.marker],
        )
        // Its family is gone.
        .catch(() => {
          over = true;
        });
    return written;
  });
  const { code, body } = await running;
  over = true;
  const written = await writers;
  expect([code, written > 0], JSON.stringify(body)).toEqual([8, true]);
  const [left] = await withConnection(database.superuser, (connection) =>
    connection.query(
      `select (select count(*)::int from public.usage_logs where notes = $1) as logs, (select count(*)::int from audit.events where concat(old_row, new_row) like '%' || $1 || '%') as events`,
      [one.marker],
    ),
  );
  expect(left).toEqual({ logs: 0, events: 0 });
});

test('a replica that lags behind keeps nothing once it has caught up, and holds nothing up', async () => {
  let standby: Standby | undefined;
  try {
    standby = await startStandby(server);
    const there = standby;
    await makeFamily(database, { name: 'Gagnon' });
    await standby.catchUp();
    const onStandby = <T>(statement: string, values: unknown[] = [], name = 'postgres') =>
      withConnection(targetOn(there, there.superuser, name), (connection) =>
        connection.query<T>(statement, values),
      );
    const one = await due();
    await standby.catchUp();
    await onStandby('select pg_wal_replay_pause()');
    expect((await run(one.number)).code).toBe(8);
    await expectErased(one);
    const held = `select count(*)::int as logs from public.usage_logs where notes = $1`;
    expect(await onStandby(held, [one.marker], database.name)).toEqual([{ logs: LOGS + 1 }]);
    await onStandby('select pg_wal_replay_resume()');
    await standby.catchUp();
    expect(await onStandby(held, [one.marker], database.name)).toEqual([{ logs: 0 }]);
  } finally {
    await standby?.stop();
  }
}, 300_000);
