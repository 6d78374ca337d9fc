import { type Connection, connect } from '../database/connection.js';
import type { ConnectionTarget } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { type AppliedMigration, appliedMigrations } from './ledger.js';
import type { Migration } from './read-migrations.js';
import { quoteIdentifier } from './roles.js';

export const OLDEST_SERVER = 15;

export async function connectOwner(target: ConnectionTarget): Promise<Connection> {
  // The login's own limit must not stop a migration, nor the looking before it.
  return connect(target, { applicationName: 'nestctl migrate', statementTimeout: 0 });
}

/**
 * What can be known to fail before anything is changed: the server's version, a standby, rights that the owner
 * lacks (with the SQL for a DBA), a database that belongs to another owner.
 */
export async function checkServer(connection: Connection): Promise<void> {
  const [facts] = await connection.query<{
    version: number;
    standby: boolean;
    owner: string;
    database: string;
    may_create: boolean;
    may_use_public: boolean;
    other_owner: string | null;
  }>(
    `select current_setting('server_version_num')::int / 10000 as version, pg_is_in_recovery() as standby,
            current_user as owner, current_database() as database,
            has_database_privilege(current_database(), 'create') as may_create,
            coalesce((select has_schema_privilege(oid, 'create') and has_schema_privilege(oid, 'usage')
                      from pg_namespace where nspname = 'public'), true) as may_use_public,
            (select pg_get_userbyid(nspowner) from pg_namespace
             where nspname = 'ops' and not pg_has_role(nspowner, 'usage')) as other_owner`,
  );
  if (facts === undefined) return;
  if (facts.version < OLDEST_SERVER) {
    throw new NestctlError(
      `The server is PostgreSQL ${facts.version}; ${OLDEST_SERVER} or later is needed.`,
      {
        kind: 'conflict',
        code: 'server_too_old',
      },
    );
  }
  if (facts.standby) {
    throw new NestctlError('This server is a standby: it takes no migrations.', {
      kind: 'conflict',
      code: 'read_only_server',
      hint: 'Use the context of the primary.',
    });
  }
  if (facts.other_owner !== null) {
    throw new NestctlError(
      `The database was migrated by ${facts.other_owner}, and ${facts.owner} is not that owner.`,
      { kind: 'not_allowed', code: 'not_owner', hint: `Set ${facts.other_owner} as owner of the context.` },
    );
  }
  const owner = quoteIdentifier(facts.owner);
  const orders = [
    ...(facts.may_create ? [] : [`grant create on database ${quoteIdentifier(facts.database)} to ${owner};`]),
    ...(facts.may_use_public ? [] : [`grant usage, create on schema public to ${owner};`]),
  ];
  if (orders.length === 0) return;
  throw new NestctlError(`${facts.owner} may not make the schemas and tables. Nothing was changed.`, {
    kind: 'not_allowed',
    code: 'owner_rights_missing',
    hint: `A DBA has to run this in the database ${facts.database}:\n${orders.join('\n')}`,
    next: 'nestctl db migrate',
  });
}

export interface LedgerState {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
  /** Applied migrations whose files are not the ones that were applied. */
  readonly changed: readonly string[];
  /** Applied migrations that this version of the console does not have. */
  readonly unknown: readonly string[];
  /** Migrations that are not applied although a later one is. */
  readonly skipped: readonly string[];
}

export async function ledgerState(
  connection: Connection,
  migrations: readonly Migration[],
): Promise<LedgerState> {
  const applied = await appliedMigrations(connection);
  const byName = new Map(applied.map((row) => [row.name, row]));
  const known = new Set(migrations.map(({ name }) => name));
  const last = applied.at(-1)?.name ?? '';
  const pending = migrations.filter(({ name }) => !byName.has(name));
  return {
    applied,
    pending,
    changed: migrations
      .filter((migration) => {
        const row = byName.get(migration.name);
        return row !== undefined && !isUnchanged(migration, row);
      })
      .map(({ name }) => name),
    unknown: applied.filter(({ name }) => !known.has(name)).map(({ name }) => name),
    skipped: pending.filter(({ name }) => name < last).map(({ name }) => name),
  };
}

function isUnchanged(migration: Migration, row: AppliedMigration): boolean {
  return migration.up.sha256 === row.upSha256 && (migration.down?.sha256 ?? null) === row.downSha256;
}

/** Throws `conflict` where this console must not touch the database: it is newer, or its history has a gap. */
export function checkHistory({ unknown, skipped, applied }: LedgerState): void {
  if (unknown.length > 0) {
    throw new NestctlError(
      `The database is newer than this nestctl: it has ${unknown.join(', ')}, unknown here. Nothing was changed.`,
      {
        kind: 'conflict',
        code: 'newer_database',
        hint: 'Use the nestctl that migrated it, or a later one.',
        next: 'nestctl db history',
      },
    );
  }
  if (skipped.length > 0) {
    throw new NestctlError(
      `${skipped.join(', ')} would come before ${applied.at(-1)?.name}, which is applied already. Nothing was changed.`,
      { kind: 'conflict', code: 'migration_skipped', hint: 'Give it the next free number.' },
    );
  }
}
