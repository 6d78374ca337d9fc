import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connection.js';
import { databaseError } from '../database/errors.js';
import type { ConnectionTarget } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { makeLedger, snapshotRuns } from './ledger.js';
import { type LockWatch, watchLocks } from './lock-watch.js';
import { migrationFailed, StatementFailure } from './migration-failure.js';
import { checkHistory, checkServer, connectOwner, ledgerState } from './preflight.js';
import type { OnStep } from './progress.js';
import { type Migration, readMigrations } from './read-migrations.js';
import { makeRoles, planRoles, type RolesPlan } from './roles.js';
import { throwIfAborted, withRunLock } from './run-lock.js';
import { type Direction, runFile, runStep, type StepOptions } from './run-step.js';
import { settleSession, type Timeouts } from './session-settings.js';

export interface RunOptions {
  /** The owner's connection. */
  readonly target: ConnectionTarget;
  /** Where the migrations lie; `sql/migrations` of this package by default. */
  readonly folder?: string | undefined;
  readonly onStep?: OnStep | undefined;
  /** Stops after rolling back the migration at work. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for another migrator, milliseconds; 60 s by default. */
  readonly patience?: number | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
}

export interface MigrateOptions extends RunOptions {
  /** The last migration to apply, by name or number; all by default. */
  readonly to?: string | undefined;
  /** Changes nothing: tells what would run. */
  readonly dryRun?: boolean | undefined;
  /** With `dryRun`: runs it all in one transaction that is rolled back, holding its locks meanwhile. */
  readonly rehearse?: boolean | undefined;
}

export interface PlannedMigration {
  readonly name: string;
  readonly kind: Migration['kind'];
  readonly locks: string;
  readonly transaction: boolean;
  readonly summary: string;
  /** `true` where a rehearsal ran it without error, else why it was not rehearsed. */
  readonly rehearsed?: true | string;
}

export interface MigrationReport {
  readonly dryRun: boolean;
  /** What was applied or, in a dry run, would be. */
  readonly migrations: readonly PlannedMigration[];
  /** How many were applied before. */
  readonly before: number;
  /** Roles that were made or would be. */
  readonly roles: readonly string[];
  readonly warnings: readonly string[];
}

export const DEFAULT_TIMEOUTS: Timeouts = { lock: 5_000, concurrentLock: 900_000 };
const LOCK_ATTEMPTS = 3;

/**
 * Brings the database up to date: roles first, then each pending migration in a transaction of its own.
 * Killed at any point it leaves nothing half-applied, and run again it goes on.
 *
 * Throws `roles_missing` or `owner_rights_missing` with SQL for a DBA, `newer_database`, `migrator_busy`,
 * `lock_timeout`, `migration_failed` naming file and line, all with what stands now.
 */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const migrations = await readMigrations(options.folder);
  return withMigrator(options, async (connection, watch) => {
    const state = await ledgerState(connection, migrations);
    checkHistory(state);
    const chosen = upTo(migrations, state.pending, options.to);
    const roles = await planRoles(connection);
    const report = {
      before: state.applied.length,
      roles: roles.missing,
      warnings: warnings(state.changed, roles),
    };
    if (options.dryRun === true) {
      const planned =
        options.rehearse === true ? await rehearse(connection, chosen, roles, options) : chosen.map(plan);
      return { dryRun: true, migrations: planned, ...report };
    }
    await prepare(connection, roles, options);
    await withSnapshot(connection, async () => {
      for (const migration of chosen)
        await runWatched(connection, watch, migrations, migration, 'up', options);
    });
    return { dryRun: false, migrations: chosen.map(plan), ...report };
  });
}

/** Connects, checks the server, keeps other migrators out and watches for locks, around `work`. */
export async function withMigrator<T>(
  options: RunOptions,
  work: (connection: Connection, watch: LockWatch) => Promise<T>,
): Promise<T> {
  const onStep = options.onStep ?? (() => undefined);
  const connection = await connectOwner(options.target);
  let watch: LockWatch | undefined;
  const cancel = () => void watch?.cancel().catch(() => undefined);
  try {
    await checkServer(connection);
    const { patience = 60_000, signal } = options;
    return await withRunLock(connection, { patience, onStep, signal }, async () => {
      const watching = await watchLocks(connection, onStep);
      watch = watching;
      signal?.addEventListener('abort', cancel);
      throwIfAborted(signal);
      return work(connection, watching);
    });
  } catch (error) {
    throwIfAborted(options.signal);
    throw databaseError(error, options.target);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    await watch?.stop();
    await connection.close();
  }
}

/** Around the steps of one run: what they made of the catalogue is kept, also where one of them failed. */
export async function withSnapshot(connection: Connection, steps: () => Promise<void>): Promise<void> {
  try {
    await steps();
  } catch (error) {
    await snapshotRuns(connection).catch(() => undefined);
    throw error;
  }
  await snapshotRuns(connection);
}

/** Runs one step, again where somebody else's lock was in the way, and says what failed and what stands. */
export async function runWatched(
  connection: Connection,
  watch: LockWatch,
  migrations: readonly Migration[],
  migration: Migration,
  direction: Direction,
  options: RunOptions & Pick<StepOptions, 'guard'>,
): Promise<void> {
  const onStep = options.onStep ?? (() => undefined);
  const { name } = migration;
  const started = performance.now();
  const step: StepOptions = {
    timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    onStep,
    ...(options.guard === undefined ? {} : { guard: options.guard }),
  };
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(options.signal);
    watch.watch(name);
    onStep(attempt === 1 ? { type: 'started', name, direction } : { type: 'retrying', name, attempt });
    try {
      await runStep(connection, migrations, migration, direction, step);
      onStep({ type: 'done', name, direction, duration: performance.now() - started });
      return;
    } catch (error) {
      throwIfAborted(options.signal);
      const again = error instanceof StatementFailure && error.isLockConflict && migration.transaction;
      if (!again || attempt === LOCK_ATTEMPTS)
        throw migrationFailed(migration, direction, error, watch.lastSeen());
      await sleep(1_000 * attempt);
    }
  }
}

async function prepare(connection: Connection, roles: RolesPlan, options: MigrateOptions): Promise<void> {
  await settleSession(connection, options.timeouts?.lock ?? DEFAULT_TIMEOUTS.lock);
  const made = await makeRoles(connection, roles);
  if (made.length > 0) options.onStep?.({ type: 'roles', made });
  await connection.transaction(() => makeLedger(connection));
  // A run that was killed left none.
  await snapshotRuns(connection);
}

/** Stops at the first migration that cannot run inside a transaction, since later ones may need it. */
async function rehearse(
  connection: Connection,
  chosen: readonly Migration[],
  roles: RolesPlan,
  options: MigrateOptions,
): Promise<PlannedMigration[]> {
  const planned: PlannedMigration[] = [];
  await settleSession(connection, options.timeouts?.lock ?? DEFAULT_TIMEOUTS.lock);
  await connection.client.query('begin');
  try {
    await makeRoles(connection, roles);
    await makeLedger(connection);
    let stopped: string | undefined;
    for (const migration of chosen) {
      throwIfAborted(options.signal);
      if (!migration.transaction) stopped ??= `${migration.name} runs outside a transaction`;
      if (stopped === undefined) await rehearseOne(connection, migration);
      planned.push({ ...plan(migration), rehearsed: stopped ?? true });
    }
    return planned;
  } finally {
    await connection.client.query('rollback').catch(() => undefined);
  }
}

async function rehearseOne(connection: Connection, migration: Migration): Promise<void> {
  try {
    await runFile(connection, migration, migration.up, () => undefined);
  } catch (error) {
    throw migrationFailed(migration, 'up', error, []);
  }
}

function upTo(
  migrations: readonly Migration[],
  pending: readonly Migration[],
  to: string | undefined,
): readonly Migration[] {
  if (to === undefined) return pending;
  const last = migrations.find(({ name }) => name === to || name.startsWith(`${to.padStart(4, '0')}_`));
  if (last === undefined) {
    throw new NestctlError(`There is no migration "${to}".`, {
      kind: 'not_found',
      code: 'migration_unknown',
      hint: `There are ${migrations.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  }
  return pending.filter(({ name }) => name <= last.name);
}

function plan({ name, kind, locks, transaction, summary }: Migration): PlannedMigration {
  return { name, kind, locks, transaction, summary };
}

function warnings(changed: readonly string[], roles: RolesPlan): string[] {
  return [
    ...changed.map((name) => `${name} is applied, but its file was changed since: see nestctl db status.`),
    ...roles.advice.map((sql) => `Managing operators will need a right that a DBA gives with: ${sql}`),
  ];
}
