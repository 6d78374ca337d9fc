import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadContexts } from '../../src/platform/config/context-file.js';
import { operatorTarget, resolveContext } from '../../src/platform/config/contexts.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { down, status, type UpStage, up } from '../../src/platform/local/index.js';
import { serverUser, spawnAs } from '../../src/platform/local/run-as.js';
import { askLocal, killServer, useLocalHome } from '../support/local.js';

const place = useLocalHome();

test('after kill -9 the server comes back with what was committed', async () => {
  const first = await up();
  await askLocal('create table public.kept as select generate_series(1, 1000) as id', 'postgres');
  await killServer(place.paths.data);
  expect(await status()).toMatchObject({ state: 'stopped', pid: null });

  const second = await up();
  expect(second).toMatchObject({ started: true, made: false, port: first.port });
  expect(await askLocal('select count(*)::int as rows from public.kept', 'postgres')).toEqual([
    { rows: 1000 },
  ]);
});

test('at once after kill -9, while its children still hold the folder, up waits for them', async () => {
  await up();
  const target = { ...operatorTarget(await resolveContext('local')), user: 'postgres' };
  await withConnection(target, async (connection) => {
    // A backend that looks after its client only now and then outlives its postmaster for a while.
    const busy = connection.query(`select count(*) from generate_series(1, 20000000)`).catch(() => undefined);
    await killServer(place.paths.data);
    expect(await up()).toMatchObject({ started: true, made: false });
    await busy;
  });
  expect(await askLocal('select 1 as one', 'postgres')).toEqual([{ one: 1 }]);
});

test('after kill -9 up recovers where the id in postmaster.pid is another process by now', async () => {
  const { port } = await up();
  await killServer(place.paths.data);
  const pidFile = join(place.paths.data, 'postmaster.pid');
  const user = await serverUser();
  const stranger = spawn('sleep', ['600'], { ...spawnAs(user, '/'), stdio: 'ignore' });
  try {
    const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n');
    await writeFile(pidFile, [stranger.pid, ...rest].join('\n'));
    expect(await status()).toMatchObject({ state: 'stopped' });
    expect(await down()).toMatchObject({ stopped: false });
    expect(await up()).toMatchObject({ started: true, made: false, port });
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  } finally {
    stranger.kill();
  }
});

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port });
  await once(server, 'listening');
  return server;
}

test.each(['127.0.0.1', '0.0.0.0'])(
  'a port taken by another program on %s: up moves and tells the contexts',
  async (host) => {
    const first = await up();
    await down();
    const other = await listen(host, first.port);
    try {
      const stages: UpStage[] = [];
      const second = await up({ onStage: (stage) => stages.push(stage) });
      expect(second.port).not.toBe(first.port);
      expect(stages).toContainEqual({ type: 'moved', from: first.port, to: second.port });
      const { contexts } = await loadContexts();
      expect([contexts.local?.port, contexts['local-second']?.port]).toEqual([second.port, second.port]);
      expect(await askLocal('select 1 as one', 'postgres')).toEqual([{ one: 1 }]);
    } finally {
      other.close();
    }
  },
);

test('settings that PostgreSQL refuses are reported with its own words', async () => {
  await up();
  await down();
  await expect(up({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('nestctl.conf'),
    hint: expect.stringContaining(place.paths.log),
  });
  expect(await up()).toMatchObject({ started: true });
});
