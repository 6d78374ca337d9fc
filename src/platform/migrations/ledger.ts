import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { LEDGER_TABLES } from './ledger-tables.js';
import type { Migration } from './read-migrations.js';
import { recordSnapshot } from './snapshot.js';

export interface AppliedMigration {
  readonly name: string;
  readonly appliedAt: Date;
  /** This and the checksums are null where somebody wrote the record by hand. */
  readonly appliedBy: string | null;
  readonly upSha256: string | null;
  readonly downSha256: string | null;
}

export interface MigrationRun {
  readonly migration: string;
  readonly direction: 'up' | 'down';
  readonly ranAt: Date;
  readonly ranBy: string;
  readonly consoleVersion: string;
  /** Milliseconds. */
  readonly duration: number;
  /** Hash of the catalogue snapshot taken once all that was run with it had been; null where it was killed before. */
  readonly snapshot: string | null;
}

export async function makeLedger(connection: Connection): Promise<void> {
  await connection.client.query(LEDGER_TABLES);
}

/** What is applied, in order; nothing where the database was never migrated. */
export async function appliedMigrations(connection: Connection): Promise<AppliedMigration[]> {
  if (!(await ledgerExists(connection))) return [];
  return connection.query<AppliedMigration>(
    `select m.name, coalesce(r.ran_at, m.timestamp::timestamptz) as "appliedAt", r.ran_by as "appliedBy",
            r.up_sha256 as "upSha256", r.down_sha256 as "downSha256"
     from ops.migrations m
     left join lateral (
       select * from ops.migration_runs r
       where r.migration = m.name and r.direction = 'up' order by r.id desc limit 1
     ) r on true
     order by m.name collate "C"`,
  );
}

/** Every run and rollback, newest first. */
export async function migrationRuns(connection: Connection): Promise<MigrationRun[]> {
  if (!(await ledgerExists(connection))) return [];
  return connection.query<MigrationRun>(
    `select r.migration, r.direction, r.ran_at as "ranAt", r.ran_by as "ranBy",
            r.console_version as "consoleVersion", r.duration_ms as duration, s.hash as snapshot
     from ops.migration_runs r left join ops.catalogue_snapshots s on s.id = r.snapshot_id
     order by r.id desc`,
  );
}

/** Writes what Kysely does not: the files' checksums and who ran it. */
export async function recordRun(
  connection: Connection,
  migration: Migration,
  direction: 'up' | 'down',
  duration: number,
): Promise<void> {
  await connection.query(
    `insert into ops.migration_runs (migration, direction, up_sha256, down_sha256, console_version, duration_ms)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      migration.name,
      direction,
      migration.up.sha256,
      migration.down?.sha256 ?? null,
      await consoleVersion(),
      Math.round(duration),
    ],
  );
  // Kysely orders by this column and writes the console's clock, which may be behind that of the last one.
  await connection.query(
    `update ops.migrations set timestamp = to_char(
       greatest(clock_timestamp(), (select max(timestamp)::timestamptz + interval '1 ms'
                                    from ops.migrations where name <> $1)) at time zone 'UTC',
       'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
     where name = $1`,
    [migration.name],
  );
}

/**
 * Keeps the catalogue as the migrations left it that have no snapshot yet: once for all that were run together, since
 * reading it takes longer than most of them.
 */
export async function snapshotRuns(connection: Connection): Promise<void> {
  await connection.transaction(async () => {
    const [waiting] = await connection.query(
      'select from ops.migration_runs where snapshot_id is null limit 1',
    );
    if (waiting === undefined) return;
    const { id } = await recordSnapshot(connection, 'migration');
    await connection.query('update ops.migration_runs set snapshot_id = $1 where snapshot_id is null', [id]);
  });
}

async function ledgerExists(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ there: boolean; readable: boolean }>(
    `select n.readable, n.readable and to_regclass(case when n.readable then 'ops.migration_runs' end) is not null as there
     from (select has_schema_privilege(oid, 'usage') as readable
           from pg_catalog.pg_namespace where nspname = 'ops') n`,
  );
  // Without USAGE the table looks absent; a database must not pass for empty because of that.
  if (row !== undefined && !row.readable) {
    throw new NestctlError('The record of migrations may not be read by this login.', {
      kind: 'not_allowed',
      code: 'permission_denied',
      hint: 'It is open to the owner and to the duties compliance, sre, auditor and admin.',
    });
  }
  return row?.there === true;
}

async function consoleVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
