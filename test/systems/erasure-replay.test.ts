import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { clusterOf } from '../support/cluster-copies.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from '../support/database.js';
import { erasingConsole, familyOfOne, REPLAY, tablesWith } from '../support/erasing-console.js';
import { unguarded } from '../support/erasures.js';
import { temporaryFolder } from '../support/evidence.js';
import { operatorConsole } from '../support/operator-console.js';
import { startTestServer } from '../support/server.js';
import { startSystem } from '../support/servers.js';
import { asService, makeFamily } from '../support/small-world.js';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql/15/bin';

const statesOf = (body: { result: { look: { returned: { request: string; state: string }[] } } }) =>
  Object.fromEntries(body.result.look.returned.map(({ request, state }) => [request, state]));

const emailOf = (database: TestDatabase, id: string, email: string) =>
  unguarded(database, (connection) =>
    connection.query('update public.users set email = $1 where id = $2', [email, id]),
  );

const memberships = (database: TestDatabase, id: string) =>
  withConnection(database.superuser, async (superuser) =>
    (
      await superuser.query<{ status: string }>(
        'select status from public.family_members where user_id = $1',
        [id],
      )
    ).map(({ status }) => status),
  );

test('recovered to a point in time before one erasure and after another: the one is run again, with who was removed since; who registered anew is not touched', async () => {
  const server = await startTestServer({ settings: { wal_keep_size: '1GB' } });
  onTestFinished(() => server.stop());
  await makeTemplate(server);
  const database = await createTestDatabase({ server });
  const erasing = await erasingConsole(database);
  const first = await familyOfOne(database, 'Lavoie');
  const second = await familyOfOne(database, 'Ouellet');
  const stays = await makeFamily(database, { name: 'Gagnon', notes: 'note of Gagnon' });
  const cluster = await clusterOf(server);
  const base = await cluster.setAside('base');

  const before = await erasing.due(first.core.id);
  await erasing.erase(before);
  const anew = await makeFamily(database, { name: 'Lavoie anew', notes: 'note of anew' });
  await emailOf(database, anew.core.id, first.core.email);
  await withConnection(database.superuser, (superuser) =>
    superuser.query(`select pg_create_restore_point('before')`),
  );
  const sre = await operatorConsole(database, {
    ...{ operator: await database.makeOperator('sre'), owner: false },
  });
  await asService(database, (connection) =>
    connection.query(`update public.family_members set status = 'removed' where user_id = $1`, [
      stays.gran.id,
    ]),
  );
  const job = ['maintenance', 'run', '--job', 'decisions', '--reason', 'every hour', '--ticket', 'OPS-1'];
  const entered = await sre.json(job, { env: { NESTCTL_HOME: erasing.me.env.NESTCTL_HOME ?? '' } });
  expect(entered.body.result.jobs, JSON.stringify(entered.body)).toMatchObject([{ outcome: 'done' }]);
  const after = await erasing.due(second.core.id);
  await erasing.erase(after);
  expect(await tablesWith(database, second.core.email, 'note of Ouellet')).toEqual([]);
  await cluster.recoverTo(base, 'before');

  expect(await tablesWith(database, second.core.email, 'note of Ouellet')).toContain('public.usage_logs');
  expect(await memberships(database, stays.gran.id)).toEqual(['active']);
  const { first: asked, done } = await erasing.replay();
  expect(statesOf(asked.body)).toEqual({ [before]: 'another', [after]: 'back' });
  expect([done.code, statesOf(done.body)], JSON.stringify(done.body)).toEqual([
    0,
    { [before]: 'another', [after]: 'gone' },
  ]);
  expect(done.body.result.replayed).toMatchObject([{ outcome: 'erased', erasure: { state: 'proven' } }]);
  expect(await tablesWith(database, second.core.email, 'note of Ouellet')).toEqual([]);
  expect(await tablesWith(database, 'note of Lavoie')).toEqual([]);
  expect(await memberships(database, stays.gran.id)).toEqual(['removed']);
  for (const note of ['note of Gagnon', 'note of anew'])
    expect(await tablesWith(database, note)).toContain('public.usage_logs');
  const people = await withConnection(database.superuser, (superuser) =>
    superuser.query<{ id: string }>(`select id from public.users where email not like 'erased-%'`),
  );
  const ids = new Set(people.map(({ id }) => id));
  expect([stays, anew].every(({ core, gran }) => ids.has(core.id) && ids.has(gran.id))).toBe(true);
  expect((await erasing.me.json(REPLAY)).code).toBe(0);
}, 300_000);

test('restored from a dump of pg_dump: the same', async () => {
  const server = await startSystem({ version: 15, kind: 'plain' });
  onTestFinished(() => server.stop());
  const database = await server.migratedDatabase();
  const erasing = await erasingConsole(database);
  const gone = await familyOfOne(database, 'Ouellet');
  await makeFamily(database, { name: 'Gagnon', notes: 'note of Gagnon' });
  const { host, port, user, password } = database.superuser;
  const env = { PGHOST: host, PGPORT: `${port}`, PGUSER: user, PGPASSWORD: password as string };
  const debian = (program: string, ...words: readonly string[]) =>
    run(join(DEBIAN, program), words, { env, maxBuffer: 1 << 26 });
  const dump = join(temporaryFolder(), 'before.dump');
  await debian('pg_dump', '--format=custom', `--file=${dump}`, database.name);

  const number = await erasing.due(gone.core.id);
  await erasing.erase(number);
  await debian('dropdb', '--force', database.name);
  await debian('createdb', '--template=template0', `--owner=${server.owner}`, database.name);
  await debian('pg_restore', '--exit-on-error', `--dbname=${database.name}`, dump);

  expect(await tablesWith(database, gone.core.email, 'note of Ouellet')).toContain('public.usage_logs');
  const { first: asked, done } = await erasing.replay();
  expect(statesOf(asked.body)).toEqual({ [number]: 'back' });
  expect([done.code, statesOf(done.body)], JSON.stringify(done.body)).toEqual([0, { [number]: 'gone' }]);
  expect(await tablesWith(database, gone.core.email, 'note of Ouellet')).toEqual([]);
  expect(await tablesWith(database, 'note of Gagnon')).toContain('public.usage_logs');
}, 300_000);
