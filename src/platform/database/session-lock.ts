import type { Connection } from './connection.js';

/** An advisory lock of a session, per database: the server frees it if its holder is killed. */
export type LockKey = readonly [number, number];

/** "nest", and the work that may only be done once at a time. */
const NEST = 0x6e657374;
export const MIGRATOR_LOCK: LockKey = [NEST, 1];
export const MAINTENANCE_LOCK: LockKey = [NEST, 2];
export const SEALER_LOCK: LockKey = [NEST, 3];
export const ARCHIVER_LOCK: LockKey = [NEST, 5];

/** Takes the lock if nobody has it. */
export async function tryLock(connection: Connection, key: LockKey): Promise<boolean> {
  const { locked } = await connection.one<{ locked: boolean }>(
    'select pg_try_advisory_lock($1, $2) as locked',
    [...key],
  );
  return locked;
}

/** Where the connection is gone, so is the lock. */
export async function unlock(connection: Connection, key: LockKey): Promise<void> {
  await connection.query('select pg_advisory_unlock($1, $2)', [...key]).catch(() => undefined);
}

/** The server process that holds the lock, and whether it is this very session's. */
export async function lockHolders(
  connection: Connection,
  key: LockKey,
): Promise<{ readonly pid: number; readonly ours: boolean }[]> {
  return await connection.query(
    `select pid, pid = pg_backend_pid() as ours from pg_locks
     where locktype = 'advisory' and granted and objsubid = 2
       and database = (select oid from pg_database where datname = current_database())
       and classid = $1::bigint::oid and objid = $2::bigint::oid`,
    [...key],
  );
}
