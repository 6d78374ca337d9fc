import type pg from 'pg';
import type { Connection } from '../database/connection.js';
import { dropInvalidIndex } from './invalid-index.js';
import { kyselyMigrator } from './kysely-migrator.js';
import { recordRun } from './ledger.js';
import { statementFailure } from './migration-failure.js';
import type { OnStep } from './progress.js';
import type { Migration, MigrationFile } from './read-migrations.js';
import { assertRunLock } from './run-lock.js';
import { settleSession, type Timeouts } from './session-settings.js';

export type Direction = 'up' | 'down';

export interface StepOptions {
  readonly timeouts: Timeouts;
  readonly onStep: OnStep;
  /** Called inside the transaction before the file is run; what it throws stops the step. */
  readonly guard?: (file: MigrationFile) => Promise<void>;
}

/**
 * Takes one migration up or down, with its record. By itself Kysely would put all pending migrations into one
 * transaction; it gets one step at a time instead, and the transaction is ours, so that what Kysely records
 * and what we record commit together with the migration, or for one without a transaction right after it.
 *
 * `migrations` are all known ones; Kysely chooses the next, and fails where it is not `migration`.
 */
export async function runStep(
  connection: Connection,
  migrations: readonly Migration[],
  migration: Migration,
  direction: Direction,
  options: StepOptions,
): Promise<void> {
  const { client } = connection;
  const { lock, concurrentLock } = options.timeouts;
  await settleSession(connection, migration.transaction ? lock : concurrentLock);
  const started = performance.now();
  const begin = async () => {
    await client.query('begin');
    await assertRunLock(connection);
  };
  if (migration.transaction) await begin();
  else await assertRunLock(connection);
  try {
    const names = migrations.map(({ name }) => name);
    const migrator = await kyselyMigrator(client, names, async (name) => {
      if (name !== migration.name) throw new Error(`Kysely chose ${name} instead of ${migration.name}`);
      const file = direction === 'up' ? migration.up : migration.down;
      if (file === undefined) throw new Error(`${migration.name} has no way ${direction}`);
      if (migration.transaction) await options.guard?.(file);
      await runFile(connection, migration, file, options.onStep);
      if (!migration.transaction) await begin();
    });
    const { error, results } = await (direction === 'up' ? migrator.migrateUp() : migrator.migrateDown());
    if (error !== undefined) throw error;
    if (results?.[0]?.status !== 'Success') throw new Error(`Kysely found no migration to take ${direction}`);
    await recordRun(connection, migration, direction, performance.now() - started);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Runs one file: whole inside the caller's transaction, or statement by statement outside any. */
export async function runFile(
  connection: Connection,
  migration: Migration,
  file: MigrationFile,
  onStep: OnStep,
): Promise<void> {
  const { client } = connection;
  const transaction = migration.transaction ? await currentTransaction(client) : undefined;
  for (const statement of file.statements) {
    if (!migration.transaction) {
      const index = await dropInvalidIndex(connection, statement);
      if (index !== undefined) onStep({ type: 'dropped_invalid_index', name: migration.name, index });
    }
    try {
      // The extended protocol takes one statement only, so a forgotten separator is an error of the server.
      if (migration.transaction) await client.query(statement.text);
      else await client.query({ text: statement.text, queryMode: 'extended' } as pg.QueryConfig);
    } catch (error) {
      throw statementFailure(file, statement, error);
    }
  }
  if (transaction !== undefined && (await currentTransaction(client)) !== transaction) {
    throw new Error(`${file.path} ends its transaction by itself: part of it may have been committed`);
  }
}

async function currentTransaction(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id ?? '';
}
