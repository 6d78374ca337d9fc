import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { readOnReplica } from '../../src/platform/database/replica.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { contextFile, runConsole } from '../support/console.js';
import { createTestDatabase, makeTemplate, type TestDatabase, targetOn } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { asCompliance, openRequestOf, unzip } from '../support/packages.js';
import { type OwnServer, startTestServer, type TestServer } from '../support/server.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';
import { type Standby, startStandby } from '../support/standby.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let primary: OwnServer;
let standby: Standby;
let second: Standby;
let elsewhere: OwnServer;
let database: TestDatabase;
let family: SmallFamily;
let operator: ConnectionTarget;

beforeAll(async () => {
  primary = await startTestServer();
  await makeTemplate(primary);
  database = await createTestDatabase({ server: primary });
  family = await makeFamily(database, { name: 'Tremblay' });
  operator = await database.makeOperator('support', 'auditor', 'compliance');
  standby = await startStandby(primary);
  second = await startStandby(primary, 'standby-second');
  elsewhere = await startTestServer();
}, 300_000);

afterAll(async () => {
  await elsewhere?.stop();
  await second?.stop();
  await standby?.stop();
  await primary?.stop();
});

const onStandby = <T>(statement: string, server: TestServer = standby) =>
  withConnection(targetOn(server, server.superuser, 'postgres'), (connection) =>
    connection.query<T>(statement),
  );
const asOwner = <T>(statement: string, values?: unknown[]) =>
  withConnection(database.owner, (connection) => connection.query<T>(statement, values));

async function delay(interval: string): Promise<void> {
  await onStandby(`alter system set recovery_min_apply_delay = '${interval}'`);
  await onStandby('select pg_reload_conf()');
}

const pause = async () => {
  await standby.catchUp();
  await onStandby('select pg_wal_replay_pause()');
  await expect
    .poll(() => onStandby('select pg_get_wal_replay_pause_state() as state'))
    .toEqual([{ state: 'paused' }]);
};
const resume = () => onStandby('select pg_wal_replay_resume()');

beforeEach(async () => {
  await delay('0');
  await resume();
  await standby.catchUp();
});

interface Place {
  readonly port: number;
  readonly password?: string | undefined;
}

/** The console with a context whose replica is at this port. */
async function consoleWith(replica: Place, main: Place = { port: primary.port }) {
  const own = operator.password as string;
  const line = ({ port, password = own }: Place) => `*:${port}:*:${operator.user}:${password}`;
  const passfile = await contextFile(`${line(main)}\n${line(replica)}\n`);
  const { env } = await contextFile(
    [
      '[contexts.test]',
      'kind = "server"',
      'host = "127.0.0.1"',
      `port = ${main.port}`,
      `database = "${database.name}"`,
      `user = "${operator.user}"`,
      `passfile = "${passfile.path}"`,
      '[contexts.test.replica]',
      'host = "127.0.0.1"',
      `port = ${replica.port}`,
    ].join('\n'),
  );
  return {
    text: (...args: string[]) => runConsole(args, { env }),
    async json(...args: string[]) {
      const { code, stdout } = await runConsole([...args, '--json'], { env });
      return { code, body: JSON.parse(stdout) };
    },
  };
}

const codes = (body: { warnings: { code: string }[] }) => body.warnings.map(({ code }) => code);

test('a replica that has replayed all is read, and the output says so', async () => {
  const me = await consoleWith(standby);
  const { code, body } = await me.json('audit', 'query', '--table', 'families');
  expect([code, body.meta.server, body.warnings]).toEqual([0, 'replica', []]);
  expect(body.meta.replica_lag_ms).toBeGreaterThanOrEqual(0);
  expect(body.result.events).toHaveLength(1);
  const { stderr } = await me.text('audit', 'query');
  expect(stderr).toMatch(new RegExp(`^· answered by the replica 127\\.0\\.0\\.1:${standby.port}, `));
  await asOwner('refresh materialized view private.weekly_usage');
  await asOwner('refresh materialized view private.weekly_activity');
  const usage = await me.json('analytics', 'usage', '--duty', 'auditor');
  expect([usage.body.result.weeks.length, usage.body.meta.server]).toEqual([1, 'replica']);
  const asked = await me.json('audit', 'query', '--server', 'primary');
  expect([asked.body.meta.server, asked.body.meta.replica_lag_ms]).toEqual(['primary', undefined]);
});

test('on a replica that replays late, what was just written is there each time', async () => {
  const me = await consoleWith(standby);
  await delay('400ms');
  for (let round = 0; round < 4; round++) {
    await asService(database, (connection) =>
      connection.query('update public.families set description = $2 where id = $1', [
        family.id,
        `round ${round}`,
      ]),
    );
    const { body } = await me.json(
      'audit',
      'query',
      '--table',
      'families',
      '--limit',
      '1',
      '--duty',
      'auditor',
    );
    expect(body.result.events[0].after).toMatchObject({ description: `round ${round}` });
    expect(body.meta.server).toBe('replica');
    await sleep(Math.random() * 100);
  }
});

test('a grant and a lookup are written on the primary, and waited for on the replica', async () => {
  const me = await consoleWith(standby);
  await delay('400ms');
  const found = await me.json('family', 'list', '--name', 'Tremblay', '--duty', 'support', ...WHY);
  expect([found.code, found.body.meta.server]).toEqual([0, 'replica']);
  expect(found.body.meta.replica_lag_ms).toBeGreaterThan(0);
  expect(found.body.result.families).toMatchObject([{ id: family.id, masked: true }]);
  expect(await asOwner('select from ops.directory_lookups')).toHaveLength(1);

  const events = await me.json('audit', 'query', '--family', family.id, '--table', 'families', ...WHY);
  expect([events.code, events.body.meta.server]).toEqual([0, 'replica']);
  expect(events.body.result.events.length).toBeGreaterThan(0);
});

test('where replay stands still the primary answers and says why; --server replica answers nothing', async () => {
  const me = await consoleWith(standby);
  await pause();
  const erased = await makeFamily(database, { name: 'Bouchard' });
  await resume();
  await standby.catchUp();
  await pause();
  await asService(database, (connection) =>
    connection.query('delete from public.families where id = $1', [erased.id]),
  );
  // Seen on the standby itself, it is still there.
  expect(
    await withConnection({ ...database.superuser, port: standby.port }, (connection) =>
      connection.query('select from public.families where id = $1', [erased.id]),
    ),
  ).toHaveLength(1);

  const looked = await me.json('family', 'list', '--id', erased.id, '--duty', 'support', ...WHY);
  expect([looked.body.result.families, looked.body.meta.server, codes(looked.body)]).toEqual([
    [],
    'primary',
    ['replica_not_used'],
  ]);
  const log = await me.json(
    'audit',
    'query',
    '--table',
    'families',
    '--operation',
    'delete',
    '--duty',
    'auditor',
  );
  expect([log.body.meta.server, log.body.result.events.length]).toEqual(['primary', 1]);
  expect(log.body.warnings[0].message).toMatch(
    /^The primary answers: the replica .* is \d+ bytes behind after 2 s/,
  );

  const only = await me.json('audit', 'query', '--server', 'replica', '--duty', 'auditor');
  expect([only.code, only.body.error.code]).toEqual([6, 'replica_behind']);
  expect((await me.text('audit', 'query', '--duty', 'auditor')).stderr).toMatch(/^! The primary answers: /);
});

test('a package is read in one snapshot on the replica, once that has the grant; else on the primary', async () => {
  const me = await consoleWith(standby);
  await delay('400ms');
  const { core } = family;
  const why = ['--reason', 'her request of today', '--ticket', 'DSR-1', '--duty', 'compliance'];
  const number = await asCompliance(operator, core.id, (session) => openRequestOf(session, core.id));
  const folder = temporaryFolder();
  const create = (name: string, ...more: string[]) =>
    me.json('export', 'create', number, '--file', join(folder, name), ...why, '--yes', ...more);
  const users = async (name: string) =>
    [...(await unzip(join(folder, name)))].find(([path]) => path.endsWith('users.json'))?.[1];
  expect((await me.json('evidence', 'key', 'create', ...why.slice(0, 4))).code).toBe(0);
  await asService(database, (connection) =>
    connection.query('update public.users set first_name = $2 where id = $1', [core.id, 'Just now']),
  );
  const made = await create('replica.zip');
  expect([made.code, made.body.meta.server, made.body.warnings]).toEqual([0, 'replica', []]);
  expect(await users('replica.zip')).toContain('Just now');
  expect((await me.json('export', 'verify', join(folder, 'replica.zip'))).code).toBe(0);
  const plan = await me.json('export', 'plan', '--user', core.id, ...why);
  expect([plan.code, plan.body.meta.server]).toEqual([0, 'replica']);

  await pause();
  await asService(database, (connection) =>
    connection.query('update public.users set first_name = $2 where id = $1', [core.id, 'Later']),
  );
  expect((await create('only.zip', '--server', 'replica')).body.error.code).toBe('replica_behind');
  const late = await create('primary.zip');
  expect([late.code, late.body.meta.server, codes(late.body)]).toEqual([0, 'primary', ['replica_not_used']]);
  expect(await users('primary.zip')).toContain('Later');
  expect(readdirSync(folder).sort()).toEqual(['primary.zip', 'replica.zip']);
});

describe('of a grant', () => {
  let session: Session;
  let asked = 0;
  const read = (patience: number, mode: 'auto' | 'replica' = 'replica') =>
    readOnReplica(
      session,
      {
        mode,
        target: { ...operator, port: standby.port },
        purpose: { duty: 'support' },
        connect: {},
        patience,
        tell: () => undefined,
      },
      async (reader) => {
        asked++;
        return await reader.query<{ id: string }>('select id from public.families');
      },
    );
  const openGrant = async () =>
    await session.one<{ id: string }>(
      `select id from ops.open_access('read', 'caller cannot see the log', 'SUP-1', 5, $1)`,
      [family.id],
    );

  beforeEach(async () => {
    session = await openSession(operator, {
      duty: 'support',
      reason: 'tests of the replica',
      ticket: 'SUP-1',
    });
    await session.query(
      'select ops.close_access(id) from ops.access_grants where operator = session_user and closed_at is null and expires_at > now()',
    );
    await standby.catchUp();
    asked = 0;
    return () => session.close();
  });

  test('that was closed the replica that still shows its rows is never asked', async () => {
    const { id } = await openGrant();
    expect((await read(2_000)).value).toEqual([{ id: family.id }]);
    await pause();
    await session.query('select ops.close_access($1)', [id]);
    await expect(read(300)).rejects.toMatchObject({ code: 'replica_behind', exitCode: 6 });
    expect(asked).toBe(1);
    expect((await read(300, 'auto')).value).toEqual([]);
    await resume();
    expect((await read(5_000)).value).toEqual([]);
  });

  test('that was just opened its rows are there, each time', async () => {
    await delay('150ms');
    for (let round = 0; round < 5; round++) {
      const { id } = await openGrant();
      const opened = await read(5_000);
      expect([opened.value, opened.by]).toEqual([
        [{ id: family.id }],
        expect.objectContaining({ server: 'replica' }),
      ]);
      await session.query('select ops.close_access($1)', [id]);
      expect((await read(5_000)).value).toEqual([]);
    }
  });
});

test('a replica that is down: the primary answers with a warning, or nobody', async () => {
  const me = await consoleWith({ port: 1 });
  const auto = await me.json('audit', 'query', '--duty', 'auditor');
  expect([auto.code, auto.body.meta.server, codes(auto.body)]).toEqual([0, 'primary', ['replica_not_used']]);
  const only = await me.json('audit', 'query', '--duty', 'auditor', '--server', 'replica');
  expect([only.code, only.body.error.code]).toEqual([1, 'server_down']);
});

test('a server of another cluster is refused, also where the primary could answer', async () => {
  await withConnection(targetOn(elsewhere, elsewhere.superuser, 'postgres'), async (connection) => {
    await connection.query(
      `create role nestsync_auditor nologin; create role ${operator.user} login noinherit password 'elsewhere'`,
    );
    await connection.query(`grant nestsync_auditor to ${operator.user}`);
    await connection.query(`create database ${database.name}`);
  });
  const me = await consoleWith({ port: elsewhere.port, password: 'elsewhere' });
  for (const server of ['auto', 'replica']) {
    const { code, body } = await me.json('audit', 'query', '--duty', 'auditor', '--server', server);
    expect([server, code, body.error?.code]).toEqual([server, 6, 'replica_foreign']);
  }
  const check = await me.json('context', 'check');
  expect(check.body.result.findings).toContainEqual(
    expect.objectContaining({
      name: 'replica',
      level: 'error',
      detail: expect.stringContaining('no replica'),
    }),
  );
});

test('a context without a replica says so where one is asked for', async () => {
  const { env } = await contextFile(
    `[contexts.test]\nkind = "server"\nhost = "127.0.0.1"\nport = ${primary.port}\ndatabase = "${database.name}"\nuser = "${operator.user}"\n`,
  );
  const { code, stdout } = await runConsole(['audit', 'query', '--server', 'replica', '--json'], { env });
  expect([code, JSON.parse(stdout).error.code]).toEqual([6, 'no_replica']);
});

// The last one: a promotion cannot be undone.
test('a replica that was promoted is noticed, and so is one that follows another timeline', async () => {
  await onStandby('select pg_promote()');
  await asService(database, (connection) =>
    connection.query(`update public.families set description = 'on the primary' where id = $1`, [family.id]),
  );
  const me = await consoleWith(standby);
  const auto = await me.json('audit', 'query', '--table', 'families', '--duty', 'auditor', '--limit', '1');
  expect([auto.code, auto.body.meta.server, codes(auto.body)]).toEqual([0, 'primary', ['replica_not_used']]);
  expect(auto.body.warnings[0].message).toContain('it was promoted');
  expect(auto.body.result.events[0].after).toMatchObject({ description: 'on the primary' });
  const only = await me.json('audit', 'query', '--duty', 'auditor', '--server', 'replica');
  expect([only.code, only.body.error.code]).toEqual([6, 'replica_promoted']);
  const check = await me.json('context', 'check');
  expect(check.body.result.findings).toContainEqual(
    expect.objectContaining({ name: 'replica', level: 'error' }),
  );

  // The context follows the failover; the other standby still follows the old primary, which is ahead in bytes.
  await onStandby('checkpoint');
  const moved = await consoleWith(second, standby);
  const parted = await moved.json('audit', 'query', '--duty', 'auditor', '--server', 'replica');
  expect([parted.code, parted.body.error.code]).toEqual([6, 'replica_other_timeline']);
  expect((await moved.json('audit', 'query', '--duty', 'auditor')).body.meta.server).toBe('primary');
  // A primary that became a replica answers no question by itself.
  const back = await consoleWith(standby, second);
  const swapped = await back.json('audit', 'query', '--duty', 'auditor');
  expect([swapped.code, swapped.body.error.code]).toEqual([6, 'primary_is_replica']);
});
