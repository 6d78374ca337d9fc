import type { DialectAdapter, Migrator } from 'kysely';
import type pg from 'pg';

/**
 * Kysely's migrator on one session, in whatever transaction that is in, with its tables in `ops`. `run` is
 * called with the name of each migration that Kysely takes up or down.
 *
 * Its own lock is left out: it would set lock_timeout to an hour inside our transaction, and its release fails
 * in a failed one and hides the error. The session lock around the whole run does its work.
 */
export async function kyselyMigrator(
  client: pg.Client,
  names: readonly string[],
  run: (name: string) => Promise<void>,
): Promise<Migrator> {
  const kysely = await import('kysely');
  class Adapter extends kysely.PostgresAdapter {
    override async acquireMigrationLock(): Promise<void> {}
    override async releaseMigrationLock(): Promise<void> {}
  }
  class Dialect extends kysely.PostgresDialect {
    override createAdapter(): DialectAdapter {
      return new Adapter();
    }
  }
  const session = { query: client.query.bind(client), release: () => undefined };
  const pool = { connect: async () => session, end: async () => undefined };
  return new kysely.Migrator({
    db: new kysely.Kysely<unknown>({ dialect: new Dialect({ pool: pool as never }) }),
    provider: {
      getMigrations: async () =>
        Object.fromEntries(names.map((name) => [name, { up: () => run(name), down: () => run(name) }])),
    },
    migrationTableSchema: 'ops',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migration_lock',
    disableTransactions: true,
  });
}
