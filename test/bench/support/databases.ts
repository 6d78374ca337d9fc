import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, withConnection } from '../../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import type { Bench } from './figure.js';

/** A migrated database of the bench's own server, dropped afterwards. */
export async function withDatabase<T>(
  bench: Bench,
  work: (database: TestDatabase) => Promise<T>,
  template?: string,
): Promise<T> {
  const server = await bench.server();
  const database = await createTestDatabase({ server, ...(template === undefined ? {} : { template }) });
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}

/** Fills tables as the superuser without any trigger, foreign keys included: for what is only background. */
export async function fill(
  database: TestDatabase,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  await withConnection(database.superuser, work, { settings: { session_replication_role: 'replica' } });
}

/** The environment in which nestctl finds this database as its local context. */
export async function consoleEnv(
  folder: string,
  operator: ConnectionTarget,
  others: readonly ConnectionTarget[] = [],
): Promise<NodeJS.ProcessEnv> {
  const home = join(folder, `console-${operator.database}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const config = join(home, 'contexts.toml');
  const server = `127.0.0.1:${operator.port}:*`;
  await writeFile(
    config,
    `current = "local"\n[contexts.local]\nkind = "local"\nhost = "${operator.host}"\nport = ${operator.port}\n` +
      `database = "${operator.database}"\nuser = "${operator.user}"\npassfile = "pgpass"\n`,
  );
  const logins = [operator, ...others].map(
    ({ user, password }) => `${server}:${user}:${password as string}
`,
  );
  await writeFile(join(home, 'pgpass'), logins.join(''));
  for (const file of ['contexts.toml', 'pgpass']) await chmod(join(home, file), 0o600);
  return { NESTCTL_CONFIG: config, XDG_CACHE_HOME: home, NO_COLOR: '1' };
}
