import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadContexts } from '../../src/platform/config/context-file.js';
import { operatorTarget, ownerTarget, resolveContext } from '../../src/platform/config/contexts.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { down, reset, status, type UpStage, up } from '../../src/platform/local/index.js';
import { readPasswords, writePasswords } from '../../src/platform/local/pgpass.js';
import { until, useLocalHome } from '../support/local.js';

const place = useLocalHome();

/** As the operator of the current context, or as the superuser. */
async function ask<T>(sql: string, who: 'operator' | 'superuser' = 'operator'): Promise<T[]> {
  const operator = operatorTarget(await resolveContext('local'));
  const target = who === 'operator' ? operator : { ...operator, user: 'postgres' };
  return withConnection(target, (connection) => connection.query<T>(sql));
}

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('from nothing to a migrated database, two operators and their contexts', async () => {
  const report = await up();
  expect(report).toMatchObject({ started: true, made: true, contexts: ['local', 'local-second'] });
  expect(report.version).toMatch(/^17\./);
  expect(report.applied).toContain('0001_foundation');

  const { current, contexts } = await loadContexts();
  expect(current).toBe('local');
  expect(contexts['local-second']).toMatchObject({ user: 'dev.singh', port: report.port });
  expect(await ask('select session_user as me, current_database() as db')).toEqual([
    { me: 'camille.roy', db: 'nestsync' },
  ]);

  const owner = ownerTarget(await resolveContext('local'));
  const rows = await withConnection(owner, (connection) =>
    connection.query(`select rolsuper, rolbypassrls, rolcreaterole, pg_get_userbyid(datdba) as owner
      from pg_roles, pg_database where rolname = session_user and datname = current_database()`),
  );
  expect(rows).toEqual([
    { rolsuper: false, rolbypassrls: false, rolcreaterole: true, owner: 'nestsync_owner' },
  ]);
});

test('nobody but a password holder on loopback gets in, and the secrets are closed', async () => {
  const { port } = await up();
  const settings = await ask<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories',
       'password_encryption', 'data_checksums', 'wal_level', 'archive_mode', 'TimeZone', 'server_encoding')`,
    'superuser',
  );
  expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    data_checksums: 'on',
    wal_level: 'replica',
    archive_mode: 'on',
    TimeZone: 'UTC',
    server_encoding: 'UTF8',
  });
  expect(
    await ask('select distinct type, address, netmask, auth_method from pg_hba_file_rules', 'superuser'),
  ).toEqual([
    { type: 'host', address: '127.0.0.1', netmask: '255.255.255.255', auth_method: 'scram-sha-256' },
  ]);
  expect(
    await ask(
      `select rolname from pg_authid where rolcanlogin and rolpassword not like 'SCRAM%'`,
      'superuser',
    ),
  ).toEqual([]);
  await expect(
    withConnection(
      { host: '127.0.0.1', port, database: 'nestsync', user: 'camille.roy', password: 'guess' },
      (connection) => connection.query('select'),
    ),
  ).rejects.toMatchObject({ code: 'wrong_password' });

  expect(await mode(place.paths.passfile)).toBe('600');
  expect(await mode(place.paths.data)).toBe('700');
  expect(await mode(place.paths.wal)).toBe('700');
  const config = await readFile(place.config, 'utf8');
  for (const password of (await readPasswords(place.paths.passfile)).values()) {
    expect(config).not.toContain(password);
  }
});

test('names with accents sort with their letters', async () => {
  await up();
  const rows = await ask<{ name: string }>(
    `select name from unnest(array['Zoé', 'Émile', 'Eric', 'Étienne', 'abel']) name order by name`,
  );
  expect(rows.map(({ name }) => name)).toEqual(['abel', 'Émile', 'Eric', 'Étienne', 'Zoé']);
});

test('twice is harmless, and down and up keep port, data and passwords', async () => {
  const first = await up();
  await ask('create table public.kept (id int)', 'superuser');
  const config = await readFile(place.config, 'utf8');
  const second = await up();
  expect(second).toMatchObject({
    started: false,
    made: false,
    pid: first.pid,
    port: first.port,
    applied: [],
  });

  expect(await down()).toMatchObject({ stopped: true });
  expect(await status()).toMatchObject({ state: 'stopped', pid: null, port: first.port });
  await expect(ask('select')).rejects.toMatchObject({ code: 'server_down' });
  expect(await down()).toMatchObject({ stopped: false });

  const third = await up();
  expect(third).toMatchObject({ started: true, made: false, port: first.port, applied: [] });
  expect(third.pid).not.toBe(first.pid);
  expect(await ask('select from public.kept', 'superuser')).toEqual([]);
  expect(await readFile(place.config, 'utf8')).toBe(config);
});

test('two at once make one cluster', async () => {
  const stages: UpStage[] = [];
  const reports = await Promise.all([up(), up({ onStage: (stage) => stages.push(stage) })]);
  expect(new Set(reports.map(({ pid }) => pid)).size).toBe(1);
  expect(reports.filter(({ made }) => made)).toHaveLength(1);
});

test('WAL is archived from the start, and status says so', async () => {
  await up();
  await ask('create table public.logged as select 1', 'superuser');
  const [row] = await ask<{ file: string }>('select pg_walfile_name(pg_switch_wal()) as file', 'superuser');
  const file = row?.file ?? '';
  await until('the segment is archived', async () => (await status()).wal.archiver?.last_archived === file);
  const { wal, ...rest } = await status();
  expect(wal).toMatchObject({ segments: await segments(), archiver: { failed: 0, last_failed: null } });
  expect(wal.size).toBe(wal.segments * 16 * 1024 * 1024);
  expect(await readdir(place.paths.wal)).toContain(file);
  expect(rest).toMatchObject({
    state: 'running',
    contexts: ['local', 'local-second'],
    migrations: { pending: 0 },
  });
  expect(rest.data_size).toBeGreaterThan(20e6);
});

async function segments(): Promise<number> {
  return (await readdir(place.paths.wal)).length;
}

test('what an interrupted run left is recognised and made anew', async () => {
  await mkdir(join(place.paths.cluster, 'making-1234abcd', 'data', 'base'), { recursive: true });
  await mkdir(join(place.paths.data, 'base'), { recursive: true });
  await writeFile(join(place.paths.data, 'PG_VERSION'), '17\n');
  expect(await status()).toMatchObject({ state: 'half-made' });
  const stages: string[] = [];
  const report = await up({ onStage: ({ type }) => stages.push(type) });
  expect(report).toMatchObject({ made: true, started: true });
  expect(stages).toContain('half-made');
  expect((await readdir(place.paths.cluster)).filter((name) => name.startsWith('making-'))).toEqual([]);
  expect(await status()).toMatchObject({ state: 'running' });
});

test('a whole cluster that is not ours is moved aside, never deleted, and so is WAL of another one', async () => {
  await mkdir(join(place.paths.data, 'global'), { recursive: true });
  await writeFile(join(place.paths.data, 'PG_VERSION'), '17\n');
  await writeFile(join(place.paths.data, 'global', 'pg_control'), 'precious');
  await mkdir(place.paths.wal);
  await writeFile(join(place.paths.wal, '000000010000000000000001'), 'older');
  const aside: string[] = [];
  await up({ onStage: (stage) => stage.type === 'set-aside' && aside.push(stage.path) });
  expect(aside).toHaveLength(2);
  expect(await readFile(join(aside[0] ?? '', 'global', 'pg_control'), 'utf8')).toBe('precious');
  expect(await readFile(join(aside[1] ?? '', '000000010000000000000001'), 'utf8')).toBe('older');
});

test('a lost password file is mended without losing data', async () => {
  await up();
  await ask('create table public.kept (id int)', 'superuser');
  await rm(place.paths.passfile);
  const stages: string[] = [];
  const report = await up({ onStage: ({ type }) => stages.push(type) });
  expect(stages).toContain('rescuing');
  expect(report).toMatchObject({ made: false });
  expect(await ask('select from public.kept', 'superuser')).toEqual([]);

  const passwords = await readPasswords(place.paths.passfile);
  await writePasswords(place.paths.passfile, report.port, new Map(passwords).set('camille.roy', 'other'));
  await up();
  expect(await ask('select session_user as me')).toEqual([{ me: 'camille.roy' }]);
});

test('an operator revoked since then stays revoked', async () => {
  await up();
  await ask(`update ops.operators set revoked_at = now() where login = 'dev.singh'`, 'superuser');
  await ask(`revoke nestsync_admin from "dev.singh"`, 'superuser');
  await up();
  const [row] = await ask<{ revoked: boolean; member: boolean }>(
    `select revoked_at is not null as revoked, pg_has_role(login, 'nestsync_admin', 'member') as member
     from ops.operators where login = 'dev.singh'`,
    'superuser',
  );
  expect(row).toEqual({ revoked: true, member: false });
});

test('reset removes data, WAL and passwords, and makes all anew', async () => {
  const before = await up();
  await ask('create table public.gone (id int)', 'superuser');
  await ask('select pg_switch_wal()', 'superuser');
  await until('a segment is archived', async () => (await segments()) > 0);
  const secret = (await readPasswords(place.paths.passfile)).get('postgres');

  const report = await reset();
  expect(report).toMatchObject({ made: true, started: true });
  expect(report.pid).not.toBe(before.pid);
  expect(await ask(`select to_regclass('public.gone') as gone`)).toEqual([{ gone: null }]);
  expect((await readPasswords(place.paths.passfile)).get('postgres')).not.toBe(secret);
  expect((await status()).wal.segments).toBe(0);
});

test('a context of ours that points elsewhere is not overwritten', async () => {
  await mkdir(join(place.config, '..'), { recursive: true });
  const text =
    '[contexts.local]\nkind = "server"\nhost = "db.example.ca"\ndatabase = "nestsync"\nuser = "me"\n';
  await writeFile(place.config, text, { mode: 0o600 });
  await expect(up()).rejects.toMatchObject({ code: 'context_taken', exitCode: 6 });
  expect(await readFile(place.config, 'utf8')).toBe(text);
  expect(await status()).toMatchObject({ state: 'absent' });
});

test('other contexts and the current one are kept', async () => {
  await mkdir(join(place.config, '..'), { recursive: true });
  const text =
    'current = "prod"\n[contexts.prod]\nkind = "server"\nhost = "db.example.ca"\ndatabase = "nestsync"\nuser = "me"\n';
  await writeFile(place.config, text, { mode: 0o600 });
  await up();
  const { current, contexts } = await loadContexts();
  expect(current).toBe('prod');
  expect(Object.keys(contexts)).toEqual(['prod', 'local', 'local-second']);
});
