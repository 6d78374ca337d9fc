import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connection.js';
import { lockHolders, MIGRATOR_LOCK, tryLock, unlock } from '../database/session-lock.js';
import { NestctlError } from '../errors.js';
import { describeHolder, type Holder, type OnStep } from './progress.js';

export interface RunLockOptions {
  /** Longest wait for another migrator, milliseconds. */
  readonly patience: number;
  readonly onStep: OnStep;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` as the only migrator of this database: a second one waits, says for whom, and stops with
 * `migrator_busy` when its patience ends. The lock is the session's, so the server frees it if we are killed.
 */
export async function withRunLock<T>(
  connection: Connection,
  options: RunLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + options.patience;
  let told = Number.NEGATIVE_INFINITY;
  while (!(await tryLock(connection, MIGRATOR_LOCK))) {
    const holders = await describeHolders(connection);
    if (Date.now() >= end) throw busy(holders);
    if (Date.now() - told >= 5_000) {
      options.onStep({ type: 'waiting', for: 'migrator', holders });
      told = Date.now();
    }
    await sleep(Math.min(250, Math.max(1, end - Date.now())));
    throwIfAborted(options.signal);
  }
  try {
    return await work();
  } finally {
    await unlock(connection, MIGRATOR_LOCK);
  }
}

/**
 * Throws where this very session does not hold the lock any more: a pooler that hands each transaction to
 * another server session would otherwise let two migrators run at once.
 */
export async function assertRunLock(connection: Connection): Promise<void> {
  const holders = await lockHolders(connection, MIGRATOR_LOCK);
  if (holders.some(({ ours }) => ours)) return;
  throw new NestctlError('The lock that keeps other migrators out is not held by this session any more.', {
    kind: 'conflict',
    code: 'pooled_connection',
    hint: 'The owner connection goes through a pooler in transaction mode: use the direct port or session mode.',
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new NestctlError('Interrupted: the migration at work was rolled back, those before it stay.', {
    kind: 'interrupted',
    next: 'nestctl db status',
  });
}

async function describeHolders(connection: Connection): Promise<Holder[]> {
  const holders = await lockHolders(connection, MIGRATOR_LOCK);
  return connection.query<Holder>(
    `select pid, coalesce(usename, '') as user, coalesce(application_name, '') as application,
            coalesce(state, '') as state, extract(epoch from clock_timestamp() - backend_start)::int as seconds
     from pg_stat_activity where pid = any ($1)`,
    [holders.map(({ pid }) => pid)],
  );
}

function busy(holders: readonly Holder[]): NestctlError {
  return new NestctlError('Another migrator is at work on this database.', {
    kind: 'conflict',
    code: 'migrator_busy',
    hint: `It is ${holders.map(describeHolder).join(', ') || 'just ending'}. Nothing was changed.`,
    next: 'nestctl db status',
  });
}
