import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { CLUSTER_ROLES, catalogue, migrate, rollback } from '../../src/platform/migrations/index.js';
import { MigrationFolder } from '../support/migration-folder.js';
import { type SystemServer, startSystem } from '../support/servers.js';

const DUTIES = [
  'nestsync_support',
  'nestsync_compliance',
  'nestsync_sre',
  'nestsync_auditor',
  'nestsync_admin',
];
const API = ['anon', 'authenticated', 'service_role'];

let server: SystemServer;
let superuser: Connection;
let folder: MigrationFolder;
let counter = 0;

beforeAll(async () => {
  server = await startSystem({ version: 17, kind: 'plain' });
  const { superuser: target } = await server.emptyDatabase('admin');
  superuser = await connect(target);
});
afterAll(async () => {
  await superuser?.close();
  await server?.stop();
});

beforeEach(() => {
  folder = new MigrationFolder({
    '0001_one': {
      up: 'create table public.one (id int); grant select on public.one to nestsync_support, authenticated;',
      down: 'drop table public.one;',
    },
  });
});

afterEach(async () => {
  folder.remove();
  const databases = await superuser.query<{ datname: string }>(
    `select datname from pg_database where datname ~ '^roles_'`,
  );
  for (const { datname } of databases) await superuser.query(`drop database ${datname} with (force)`);
  for (const role of [...CLUSTER_ROLES, 'weak_owner', 'other_owner']) {
    await superuser.query(`drop role if exists ${role}`);
  }
});

const empty = async () => (await server.emptyDatabase(`roles_${++counter}`)).owner;

const ownedBy = async (login: string, attributes = ''): Promise<ConnectionTarget> => {
  await superuser.query(`create role ${login} login ${attributes} password 'test'`);
  const target = await empty();
  await superuser.query(`alter database ${target.database} owner to ${login}`);
  return { ...target, user: login, password: 'test' };
};

const roles = () =>
  superuser.query<{ rolname: string }>(
    `select rolname, rolcanlogin, rolbypassrls, rolsuper from pg_roles where rolname = any ($1) order by 1`,
    [[...API, ...DUTIES]],
  );

const run = (target: ConnectionTarget, options = {}) => migrate({ target, folder: folder.path, ...options });

describe('roles step', () => {
  it('makes the API roles and the five duties, none of which can log in or go past RLS', async () => {
    const report = await run(await empty());
    expect([...report.roles].sort()).toEqual([...API, ...DUTIES].sort());
    const made = await roles();
    expect(made).toHaveLength(8);
    expect(made).toEqual(
      made.map(({ rolname }) => ({ rolname, rolcanlogin: false, rolbypassrls: false, rolsuper: false })),
    );
  });

  it('leaves alone what is there, and no down drops a role', async () => {
    await superuser.query('create role service_role nologin bypassrls; create role anon nologin noinherit');
    await superuser.query(`alter role anon set statement_timeout = '3s'`);
    const owner = await empty();
    expect((await run(owner)).roles).not.toContain('anon');
    expect(
      await superuser.query(
        `select rolname, rolbypassrls, rolinherit, rolconfig from pg_roles where rolname in ('anon', 'service_role') order by 1`,
      ),
    ).toEqual([
      { rolname: 'anon', rolbypassrls: false, rolinherit: false, rolconfig: ['statement_timeout=3s'] },
      { rolname: 'service_role', rolbypassrls: true, rolinherit: true, rolconfig: null },
    ]);
    await rollback({ target: owner, folder: folder.path, allowDataLoss: false });
    expect(await roles()).toHaveLength(8);
  });

  it('two databases of one cluster share them, migrate at once, and neither breaks the other', async () => {
    for (let round = 0; round < 5; round++) {
      const targets = await Promise.all([empty(), empty(), empty()]);
      await Promise.all(targets.map((target) => run(target)));
      expect(await roles()).toHaveLength(8);
      const [first, second] = targets;
      const connection = await connect(second);
      const before = await catalogue(connection);
      await rollback({ target: first, folder: folder.path, allowDataLoss: false });
      expect(await catalogue(connection)).toEqual(before);
      await connection.close();
      await run(first);
      for (const target of targets) await superuser.query(`drop database ${target.database} with (force)`);
      for (const role of CLUSTER_ROLES) await superuser.query(`drop role ${role}`);
    }
  });

  it('without CREATEROLE it changes nothing and prints the exact SQL, after which it works', async () => {
    await superuser.query('create role anon nologin');
    const owner = await ownedBy('weak_owner');
    const error = await run(owner).catch((caught: Error & { hint: string }) => caught);
    expect(error).toMatchObject({ code: 'roles_missing', exitCode: 4, next: 'nestctl db migrate' });
    const [, ...orders] = (error as { hint: string }).hint.split('\n');
    expect(orders).toEqual(
      ['authenticated', 'service_role', ...DUTIES].map((role) => `create role ${role} nologin;`),
    );
    const connection = await connect(owner);
    const { ops } = await connection.one<{ ops: unknown }>(`select to_regnamespace('ops') as ops`);
    expect(ops).toBeNull();
    await connection.close();
    await expect(run(owner, { dryRun: true })).rejects.toMatchObject({ code: 'roles_missing' });

    for (const order of orders) await superuser.query(order);
    const report = await run(owner);
    expect(report.migrations).toHaveLength(1);
    expect(report.roles).toEqual([]);
    // It will not be able to give duties to operators, and says so with SQL that cures it.
    const grants = report.warnings.map((warning) => warning.slice(warning.indexOf(': ') + 2));
    expect(grants).toContain('grant nestsync_support to weak_owner with admin option;');
    for (const grant of grants) await superuser.query(grant);
    expect((await run(owner)).warnings).toEqual([]);
  });

  it('refuses a duty that could log in or go past RLS, with the SQL that mends it', async () => {
    const owner = await empty();
    await superuser.query(
      'create role nestsync_support login bypassrls; create role authenticated nologin bypassrls',
    );
    const error = await run(owner).catch((caught: Error & { hint: string }) => caught);
    expect(error).toMatchObject({ code: 'roles_missing', exitCode: 4 });
    const [, ...orders] = (error as { hint: string }).hint.split('\n');
    expect(orders.sort()).toEqual([
      'alter role authenticated nobypassrls;',
      'alter role nestsync_support nologin nobypassrls;',
    ]);
    for (const order of orders) await superuser.query(order);
    expect((await run(owner)).migrations).toHaveLength(1);
  });

  it('an owner without rights in the database gets the exact SQL', async () => {
    const target = await empty();
    await superuser.query(`create role weak_owner login createrole password 'test'`);
    const owner = { ...target, user: 'weak_owner', password: 'test' };
    const error = await run(owner).catch((caught: Error & { hint: string }) => caught);
    expect(error).toMatchObject({ code: 'owner_rights_missing', exitCode: 4 });
    const [, ...orders] = (error as { hint: string }).hint.split('\n');
    const connection = await connect({
      ...target,
      user: server.superuser,
      password: server.passwords[server.superuser],
    });
    for (const order of orders) await connection.query(order);
    await connection.close();
    expect((await run(owner)).migrations).toHaveLength(1);
    expect(await roles()).toHaveLength(8);
  });

  it('refuses a database that another owner has migrated', async () => {
    const target = await empty();
    await run(target);
    await superuser.query(`create role other_owner login createrole password 'test'`);
    await superuser.query(`alter database ${target.database} owner to other_owner`);
    await expect(run({ ...target, user: 'other_owner', password: 'test' })).rejects.toMatchObject({
      code: 'not_owner',
      hint: expect.stringContaining('nestsync_owner'),
    });
  });
});
