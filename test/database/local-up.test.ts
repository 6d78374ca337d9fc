import { readdir, readFile, stat } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { loadContexts } from '../../src/platform/config/context-file.js';
import { ownerTarget, resolveContext } from '../../src/platform/config/contexts.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { status, type UpReport, up } from '../../src/platform/local/index.js';
import { readPasswords } from '../../src/platform/local/pgpass.js';
import { askLocal, until, useLocalHome } from '../support/local.js';

const place = useLocalHome('file');

/** The first run, which all tests here look at. */
let report: UpReport;
beforeAll(async () => {
  report = await up();
});

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('from nothing to a migrated database, two operators and their contexts', async () => {
  expect(report).toMatchObject({ started: true, made: true, contexts: ['local', 'local-second'] });
  expect(report.version).toMatch(/^17\./);
  expect(report.applied).toContain('0001_foundation');

  const { current, contexts } = await loadContexts();
  expect(current).toBe('local');
  expect(contexts['local-second']).toMatchObject({ user: 'dev.singh', port: report.port });
  expect(await askLocal('select session_user as me, current_database() as db')).toEqual([
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
  const { port } = report;
  const settings = await askLocal<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories',
       'password_encryption', 'data_checksums', 'wal_level', 'archive_mode', 'TimeZone', 'server_encoding')`,
    'postgres',
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
    await askLocal('select distinct type, address, netmask, auth_method from pg_hba_file_rules', 'postgres'),
  ).toEqual([
    { type: 'host', address: '127.0.0.1', netmask: '255.255.255.255', auth_method: 'scram-sha-256' },
  ]);
  expect(
    await askLocal(
      `select rolname from pg_authid where rolcanlogin and rolpassword not like 'SCRAM%'`,
      'postgres',
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
  const rows = await askLocal<{ name: string }>(
    `select name from unnest(array['Zoé', 'Émile', 'Eric', 'Étienne', 'abel']) name order by name`,
  );
  expect(rows.map(({ name }) => name)).toEqual(['abel', 'Émile', 'Eric', 'Étienne', 'Zoé']);
});

test('WAL is archived from the start, and status says so', async () => {
  await askLocal('create table public.logged as select 1', 'postgres');
  const [row] = await askLocal<{ file: string }>(
    'select pg_walfile_name(pg_switch_wal()) as file',
    'postgres',
  );
  const file = row?.file ?? '';
  await until('the segment is archived', async () => (await status()).wal.archiver?.last_archived === file);
  const { wal, ...rest } = await status();
  expect(wal).toMatchObject({
    segments: (await readdir(place.paths.wal)).length,
    archiver: { failed: 0, last_failed: null },
  });
  expect(wal.size).toBe(wal.segments * 16 * 1024 * 1024);
  expect(await readdir(place.paths.wal)).toContain(file);
  expect(rest).toMatchObject({
    state: 'running',
    contexts: ['local', 'local-second'],
    migrations: { pending: 0 },
  });
  expect(rest.data_size).toBeGreaterThan(20e6);
});

test('an operator revoked since then stays revoked', async () => {
  await askLocal(`update ops.operators set revoked_at = now() where login = 'dev.singh'`, 'postgres');
  await askLocal(`revoke nestsync_admin from "dev.singh" granted by nestsync_owner`, 'postgres');
  await up();
  const [row] = await askLocal<{ revoked: boolean; member: boolean }>(
    `select revoked_at is not null as revoked, pg_has_role(login, 'nestsync_admin', 'member') as member
     from ops.operators where login = 'dev.singh'`,
    'postgres',
  );
  expect(row).toEqual({ revoked: true, member: false });
});
