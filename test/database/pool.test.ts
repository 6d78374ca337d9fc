import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { type ConnectionPool, openPool, type PoolOptions } from '../../src/platform/database/pool.js';
import { openSessionPool } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { examine } from '../../src/platform/doctor/index.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { operatorConsole } from '../support/operator-console.js';

let database: TestDatabase;
let operator: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('sre', 'auditor');
});
afterAll(() => database?.drop());

async function poolOf(options: PoolOptions = {}, target = operator): Promise<ConnectionPool> {
  const pool = await openPool(target, options);
  onTestFinished(() => pool.close());
  return pool;
}

const pidOf = async (connection: Connection) =>
  (await connection.one<{ pid: number }>('select pg_backend_pid() as pid')).pid;
const asSuperuser = <T>(statement: string, values?: unknown[]) =>
  withConnection(database.superuser, (connection) => connection.query<T>(statement, values));
const sessions = async (login = operator.user) =>
  (await asSuperuser<{ pid: number }>('select pid from pg_stat_activity where usename = $1', [login])).map(
    ({ pid }) => pid,
  );

test('whatever was left behind is gone before anybody else has the connection', async () => {
  const pool = await poolOf({ size: 1, settings: { 'nestsync.reason': 'what the pool was opened for' } });
  const first = await pool.use(async (connection) => {
    await connection.query('set role nestsync_sre');
    await connection.query(
      `select set_config('nestsync.reason', 'something else', false), set_config('nestsync.ticket', 'X-1', false)`,
    );
    await connection.query(
      `set search_path = pg_temp; set TimeZone = 'America/Toronto'; set statement_timeout = 1`,
    );
    await connection.query('reset statement_timeout; create temporary table left_behind (id int)');
    await connection.query('prepare left_behind as select 1');
    await connection.query('select pg_advisory_lock(42)');
    await connection.query('listen left_behind');
    return await pidOf(connection);
  });
  await pool.use(async (connection) => {
    expect(await pidOf(connection)).toBe(first);
    expect(
      await connection.one(`
        select current_setting('role') as role, current_user = session_user as own_user,
          current_setting('nestsync.reason') as reason, current_setting('nestsync.ticket', true) as ticket,
          current_setting('TimeZone') as zone, to_regclass('pg_temp.left_behind') as temporary,
          (select count(*)::int from pg_prepared_statements) as prepared,
          (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
          (select count(*)::int from pg_listening_channels()) as channels`),
    ).toEqual({
      role: 'none',
      own_user: true,
      reason: 'what the pool was opened for',
      ticket: '',
      zone: 'UTC',
      temporary: null,
      prepared: 0,
      locks: 0,
      channels: 0,
    });
  });
});

test('a session of a pool is under its duty again each time, for its purpose', async () => {
  const pool = await openSessionPool(operator, { duty: 'sre', reason: 'tests of the pool' }, { size: 1 });
  onTestFinished(() => pool.close());
  await pool.use((session) => session.query('set role none'));
  await pool.use(async (session) => {
    expect(session.duty).toBe('sre');
    expect(
      await session.one(`select current_setting('role') as role, current_setting('nestsync.reason') as reason,
        current_setting('nestsync.request') as request`),
    ).toEqual({ role: 'nestsync_sre', reason: 'tests of the pool', request: pool.request });
  });
});

test('a connection left within a transaction, failed or not, is thrown away and undone', async () => {
  const pool = await poolOf({ size: 1 }, database.owner);
  for (const statement of ['select 1', 'select 1/0']) {
    const first = await pool.use(async (connection) => {
      const pid = await pidOf(connection);
      await connection.query('begin');
      await connection.query(`comment on table public.users is 'left behind'`);
      await connection.query(statement).catch(() => undefined);
      return pid;
    });
    expect(await pool.use(pidOf)).not.toBe(first);
  }
  expect(await asSuperuser(`select obj_description('public.users'::regclass) as comment`)).not.toEqual([
    { comment: 'left behind' },
  ]);
});

test('an idle connection that the server cuts off is replaced', async () => {
  const pool = await poolOf({ size: 1 });
  const first = await pool.use(pidOf);
  await expect
    .poll(() => asSuperuser(`select from pg_stat_activity where pid = ${first} and state = 'idle'`))
    .toHaveLength(1);
  await asSuperuser('select pg_terminate_backend($1)', [first]);
  await expect.poll(sessions).not.toContain(first);
  await sleep(50);
  expect(await pool.use(pidOf)).not.toBe(first);
});

test('never more than its size, however long one has to wait', async () => {
  const pool = await poolOf({ size: 2 });
  let most = 0;
  const watch = async () => {
    most = Math.max(most, (await sessions()).length);
  };
  const pids = await Promise.all([
    // Longer than the driver would let one wait for a connection.
    ...[0, 1].map(() =>
      pool.use(async (connection) => {
        await connection.query('select pg_sleep(10.5)');
        return await pidOf(connection);
      }),
    ),
    ...[0, 1, 2].map(() =>
      pool.use(async (connection) => {
        await watch();
        return await pidOf(connection);
      }),
    ),
  ]);
  expect(new Set(pids).size).toBe(2);
  expect(most).toBe(2);
});

test('closing ends every connection, also under work that does not stop', async () => {
  const pool = await poolOf({ size: 3 });
  await pool.use(pidOf);
  const stuck = pool.use((connection) => connection.query('select pg_sleep(30)'));
  const outcome = expect(stuck).rejects.toMatchObject({ code: 'connection_lost' });
  await expect.poll(async () => (await sessions()).length).toBeGreaterThan(0);
  const began = Date.now();
  await pool.close();
  expect(Date.now() - began).toBeLessThan(5_000);
  await outcome;
  // The server watches whether its client is still there.
  await expect.poll(() => sessions(), { timeout: 10_000 }).toEqual([]);
});

test('the password is asked for once', async () => {
  let asked = 0;
  const pool = await poolOf(
    { size: 3 },
    {
      ...operator,
      password: async () => {
        asked++;
        return operator.password as string;
      },
    },
  );
  await Promise.all([0, 1, 2].map(() => pool.use((connection) => connection.query('select pg_sleep(0.1)'))));
  expect(asked).toBe(1);
});

test('doctor has enough of one connection where the server gives no more', async () => {
  const alone = await database.makeOperator('sre', 'auditor');
  const before = await examine(alone, undefined);
  await asSuperuser(`alter role ${alone.user} connection limit 1`);
  const after = await examine(alone, undefined);
  const said = (findings: typeof before) => findings.map(({ name, level, object }) => [name, level, object]);
  expect(said(after)).toEqual(said(before));
  expect(after.filter(({ name }) => name === 'row_security')).toHaveLength(1);
});

test('interrupted, a command with several connections leaves none behind', async () => {
  const me = await operatorConsole(database, { operator });
  const blocker = await connect(database.superuser);
  onTestFinished(() => blocker.close());
  await blocker.query('begin; lock table ops.operator_duties in access exclusive mode');
  const child = startConsole(['doctor'], { env: me.env });
  child.stdin.end();
  const ended = finished(child);
  await expect.poll(async () => (await sessions()).length, { timeout: 20_000 }).toBeGreaterThan(0);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  await expect.poll(() => sessions(), { timeout: 10_000 }).toEqual([]);
});
