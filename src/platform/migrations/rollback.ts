import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { type DataLoss, findDataLoss, refuseDataLoss } from './data-loss.js';
import { DEFAULT_TIMEOUTS, type RunOptions, runWatched, withMigrator, withSnapshot } from './migrate.js';
import { migrationFailed } from './migration-failure.js';
import { checkHistory, ledgerState } from './preflight.js';
import { type Migration, readMigrations } from './read-migrations.js';
import { throwIfAborted } from './run-lock.js';
import { runFile } from './run-step.js';
import { settleSession } from './session-settings.js';

export interface RollbackOptions extends RunOptions {
  /** How many migrations to take back, the last first; 1 by default. */
  readonly steps?: number | undefined;
  /** True only for a local context: lets a down drop rows. */
  readonly allowDataLoss: boolean;
  /** Finds out what would be lost, in a transaction that is rolled back. */
  readonly dryRun?: boolean | undefined;
}

export interface RollbackReport {
  readonly dryRun: boolean;
  /** In the order taken back. */
  readonly migrations: readonly { readonly name: string; readonly losses: readonly DataLoss[] }[];
  /** How many are applied now. */
  readonly left: number;
}

/**
 * Takes back the last migrations, each in a transaction of its own together with its record. Each down is
 * tried first and refused with `data_loss` where it would lose rows, unless `allowDataLoss`.
 * Throws `irreversible` before anything is changed where one of them has no way back. Drops no role.
 */
export async function rollback(options: RollbackOptions): Promise<RollbackReport> {
  const migrations = await readMigrations(options.folder);
  return withMigrator(options, async (connection, watch) => {
    const state = await ledgerState(connection, migrations);
    checkHistory(state);
    const applied = new Set(state.applied.map(({ name }) => name));
    const steps = options.steps ?? 1;
    const chosen = lastApplied(
      migrations.filter(({ name }) => applied.has(name)),
      steps,
    );
    if (options.dryRun === true) {
      return { dryRun: true, migrations: await rehearse(connection, chosen, options), left: applied.size };
    }
    const done: { name: string; losses: readonly DataLoss[] }[] = [];
    await withSnapshot(connection, async () => {
      for (const migration of chosen) {
        let losses: readonly DataLoss[] = [];
        await runWatched(connection, watch, migrations, migration, 'down', {
          ...options,
          guard: async (file) => {
            losses = await findDataLoss(connection, migration, file);
            if (!options.allowDataLoss) refuseDataLoss(migration, losses);
          },
        });
        done.push({ name: migration.name, losses });
      }
    });
    return { dryRun: false, migrations: done, left: applied.size - done.length };
  });
}

function lastApplied(applied: readonly Migration[], steps: number): Migration[] {
  if (!Number.isInteger(steps) || steps < 1 || steps > Math.max(applied.length, 1)) {
    throw new NestctlError(`${steps} migrations cannot be taken back: ${applied.length} are applied.`, {
      kind: 'usage',
      code: 'steps_out_of_range',
      next: 'nestctl db status',
    });
  }
  const chosen = applied.slice(-steps).reverse();
  const stuck = chosen.find(({ reversible }) => !reversible);
  if (stuck !== undefined) {
    throw new NestctlError(`${stuck.name} cannot be taken back: ${stuck.remark}. Nothing was changed.`, {
      kind: 'conflict',
      code: 'irreversible',
      hint: 'Go forward with a new migration, or restore from a backup.',
    });
  }
  return chosen;
}

/** All steps in one transaction that is rolled back, each tried on what the one before would leave. */
async function rehearse(
  connection: Connection,
  chosen: readonly Migration[],
  options: RollbackOptions,
): Promise<RollbackReport['migrations']> {
  await settleSession(connection, options.timeouts?.lock ?? DEFAULT_TIMEOUTS.lock);
  await connection.client.query('begin');
  try {
    const found: { name: string; losses: readonly DataLoss[] }[] = [];
    for (const migration of chosen) {
      throwIfAborted(options.signal);
      found.push({ name: migration.name, losses: await tryDown(connection, migration, options) });
    }
    return found;
  } finally {
    await connection.client.query('rollback').catch(() => undefined);
  }
}

async function tryDown(
  connection: Connection,
  migration: Migration,
  options: RollbackOptions,
): Promise<readonly DataLoss[]> {
  // One without a transaction only drops indexes and the like, and cannot run inside ours.
  if (!migration.transaction || migration.down === undefined) return [];
  try {
    const losses = await findDataLoss(connection, migration, migration.down);
    if (!options.allowDataLoss) refuseDataLoss(migration, losses);
    await runFile(connection, migration, migration.down, () => undefined);
    return losses;
  } catch (error) {
    throw migrationFailed(migration, 'down', error, []);
  }
}
