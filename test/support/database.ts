import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { withConnection } from '../../src/platform/database/connection.js';
import { type Duty, dutyRole } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { registerLocalIdentities } from '../../src/platform/local/bootstrap.js';
import { APP, OPERATORS, OWNER, SERVICE } from '../../src/platform/local/identities.js';
import { migrate } from '../../src/platform/migrations/index.js';
import type { TestServer } from './server.js';

/** Migrated once a run by a plain owner; every test database is a copy of it. */
export const TEMPLATE = 'nestctl_template';

const quote = pg.escapeIdentifier;

/** A database of a test's own. */
export interface TestDatabase {
  readonly name: string;
  readonly server: TestServer;
  readonly superuser: ConnectionTarget;
  /** Owns the database and its schema: no superuser, no BYPASSRLS. */
  readonly owner: ConnectionTarget;
  /** The registered app login, member of anon and authenticated. */
  readonly app: ConnectionTarget;
  /** Member of service_role. */
  readonly service: ConnectionTarget;
  /** camille.roy and dev.singh, who hold every duty. */
  readonly operators: readonly [ConnectionTarget, ConnectionTarget];
  as(login: string): ConnectionTarget;
  /** `postgres://…` with the password, for programs that take nothing else. */
  url(login: string): string;
  /** A registered operator with these duties and no others, under a login of its own. */
  makeOperator(...duties: Duty[]): Promise<ConnectionTarget>;
  /** A login with these attributes (`nologin`, `bypassrls` …), member of the roles, removed with the database. */
  makeLogin(attributes?: string, ...memberOf: string[]): Promise<ConnectionTarget>;
  /** Drops it whoever is connected, and the logins made for it. */
  drop(): Promise<void>;
}

/** The server that the global setup started for this worker. */
export function testServer(): TestServer {
  const text = process.env.NESTCTL_TEST_SERVERS;
  if (text === undefined) throw new Error('NESTCTL_TEST_SERVERS is not set: run the tests through vitest');
  const servers = JSON.parse(text) as TestServer[];
  const server = servers[(Number(process.env.VITEST_POOL_ID ?? 1) - 1) % servers.length];
  if (server === undefined) throw new Error('NESTCTL_TEST_SERVERS names no server');
  return server;
}

/** A login of the server in one of its databases. */
export function targetOn(server: TestServer, login: string, database: string): ConnectionTarget {
  const password = server.passwords[login];
  if (password === undefined) throw new Error(`the test server has no login ${login}`);
  return { host: server.host, port: server.port, database, user: login, password };
}

/** Makes the template: an empty database of the plain owner, migrated by that owner. */
export async function makeTemplate(server: TestServer): Promise<void> {
  await withConnection(targetOn(server, server.superuser, 'postgres'), async (connection) => {
    await connection.query(`create database ${TEMPLATE} owner ${quote(OWNER)}`);
    await migrate({ target: targetOn(server, OWNER, TEMPLATE) });
    await withConnection(targetOn(server, server.superuser, TEMPLATE), registerLocalIdentities);
    // Nobody may be connected while it is copied.
    await connection.query(`alter database ${TEMPLATE} allow_connections false`);
  });
}

export interface TestDatabaseOptions {
  readonly server?: TestServer;
  /** Default: the migrated template. `template0` gives an empty database. */
  readonly template?: string;
}

/** A copy of the migrated template, on the given server or the run's own. Drop it when done. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.server ?? testServer();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = targetOn(server, server.superuser, 'postgres');
  await withConnection(admin, (connection) =>
    connection.query(
      `create database ${name} template ${quote(options.template ?? TEMPLATE)} owner ${quote(OWNER)}`,
    ),
  );

  const superuser = targetOn(server, server.superuser, name);
  const passwords: Record<string, string> = { ...server.passwords };
  const made: string[] = [];
  const as = (login: string) => targetOn({ ...server, passwords }, login, name);

  const makeLogin = async (attributes = '', ...memberOf: string[]) => {
    const login = `person_${randomBytes(5).toString('hex')}`;
    const password = randomBytes(12).toString('hex');
    await withConnection(superuser, async (connection) => {
      await connection.query(`create role ${login} login noinherit ${attributes} password '${password}'`);
      for (const role of memberOf) await connection.query(`grant ${quote(role)} to ${login}`);
    });
    passwords[login] = password;
    made.push(login);
    return as(login);
  };

  return {
    name,
    server,
    superuser,
    owner: as(OWNER),
    app: as(APP),
    service: as(SERVICE),
    operators: [as(OPERATORS[0]?.login ?? ''), as(OPERATORS[1]?.login ?? '')],
    as,
    url: (login) => {
      const { host, port, user, password } = as(login);
      return `postgres://${encodeURIComponent(user)}:${password as string}@${host}:${port}/${name}`;
    },
    makeLogin,
    makeOperator: async (...duties) => {
      const target = await makeLogin('', ...duties.map(dutyRole), 'authenticated');
      await withConnection(superuser, (connection) =>
        connection.query('select ops.register_operator($1, $2, $3, $4)', [
          target.user,
          `Operator ${target.user}`,
          `${target.user}@nestsync.example`,
          duties,
        ]),
      );
      return target;
    },
    drop: () =>
      withConnection(admin, async (connection) => {
        await connection.query(`drop database ${name} with (force)`);
        for (const login of made) await connection.query(`drop role ${login}`);
      }),
  };
}

/** The same database, as a copy of its cluster has it at another port. */
export function movedTo(database: TestDatabase, port: number): TestDatabase {
  const at = <T extends { port: number }>(target: T): T => ({ ...target, port });
  return {
    ...database,
    superuser: at(database.superuser),
    owner: at(database.owner),
    operators: [at(database.operators[0]), at(database.operators[1])],
  };
}
