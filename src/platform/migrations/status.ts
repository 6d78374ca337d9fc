import type { Connection } from '../database/connection.js';
import type { ConnectionTarget } from '../database/target.js';
import { type MigrationRun, migrationRuns } from './ledger.js';
import { connectOwner, ledgerState } from './preflight.js';
import { type Migration, readMigrations } from './read-migrations.js';

/**
 * `changed`: applied, but the file is another one now. `unknown`: applied, but this console has no such
 * migration. `skipped`: not applied although a later one is.
 */
export type MigrationState = 'applied' | 'pending' | 'changed' | 'unknown' | 'skipped';

export interface MigrationStatus {
  readonly name: string;
  readonly state: MigrationState;
  readonly kind: Migration['kind'] | null;
  readonly reversible: boolean | null;
  readonly appliedAt: Date | null;
  readonly appliedBy: string | null;
}

/** Every migration that the database or this console knows, in order. */
export async function migrationStatus(
  source: ConnectionTarget | Connection,
  folder?: string,
): Promise<MigrationStatus[]> {
  const migrations = await readMigrations(folder);
  const state = await withReader(source, (connection) => ledgerState(connection, migrations));
  const applied = new Map(state.applied.map((row) => [row.name, row]));
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const stateOf = (name: string): MigrationState => {
    if (state.unknown.includes(name)) return 'unknown';
    if (state.changed.includes(name)) return 'changed';
    if (state.skipped.includes(name)) return 'skipped';
    return applied.has(name) ? 'applied' : 'pending';
  };
  return [...new Set([...known.keys(), ...applied.keys()])].sort().map((name) => ({
    name,
    state: stateOf(name),
    kind: known.get(name)?.kind ?? null,
    reversible: known.get(name)?.reversible ?? null,
    appliedAt: applied.get(name)?.appliedAt ?? null,
    appliedBy: applied.get(name)?.appliedBy ?? null,
  }));
}

/** Every migration and rollback ever committed in this database, newest first. */
export async function migrationHistory(source: ConnectionTarget | Connection): Promise<MigrationRun[]> {
  return withReader(source, migrationRuns);
}

async function withReader<T>(
  source: ConnectionTarget | Connection,
  read: (connection: Connection) => Promise<T>,
): Promise<T> {
  if ('query' in source) return read(source);
  const connection = await connectOwner(source);
  try {
    return await read(connection);
  } finally {
    await connection.close();
  }
}
