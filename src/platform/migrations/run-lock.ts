import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { describeHolder, type Holder, type OnStep } from './progress.js';

/** Session advisory lock of the migrator, per database: "nest" and 1. */
const KEY = [0x6e657374, 1] as const;

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
  while (!(await tryLock(connection))) {
    const holders = await lockHolders(connection);
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
    // Where the connection is gone, so is the lock.
    await connection.query('select pg_advisory_unlock($1, $2)', [...KEY]).catch(() => undefined);
  }
}

/**
 * Throws where this very session does not hold the lock any more: a pooler that hands each transaction to
 * another server session would otherwise let two migrators run at once.
 */
export async function assertRunLock(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ held: boolean }>(
    `select exists (
       select from pg_locks
       where locktype = 'advisory' and pid = pg_backend_pid() and granted and objsubid = 2
         and database = (select oid from pg_database where datname = current_database())
         and classid = $1::bigint::oid and objid = $2::bigint::oid
     ) as held`,
    [...KEY],
  );
  if (row?.held === true) return;
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

async function tryLock(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ locked: boolean }>('select pg_try_advisory_lock($1, $2) as locked', [
    ...KEY,
  ]);
  return row?.locked === true;
}

async function lockHolders(connection: Connection): Promise<Holder[]> {
  return connection.query<Holder>(
    `select a.pid, coalesce(a.usename, '') as user, coalesce(a.application_name, '') as application,
            coalesce(a.state, '') as state,
            extract(epoch from clock_timestamp() - a.backend_start)::int as seconds
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 2
       and l.database = (select oid from pg_database where datname = current_database())
       and l.classid = $1::bigint::oid and l.objid = $2::bigint::oid`,
    [...KEY],
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
