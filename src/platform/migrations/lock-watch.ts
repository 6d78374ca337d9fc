import { type Connection, connect } from '../database/connection.js';
import type { Holder, OnStep } from './progress.js';

/** Watches from a second connection what a session waits for, and can stop what that session runs. */
export interface LockWatch {
  /** Says which migration the waiting is for from now on, and forgets what was seen. */
  watch(name: string): void;
  /** Who stood in the way when last seen. */
  lastSeen(): readonly Holder[];
  /** Cancels the watched session's statement. */
  cancel(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY = 500;

/**
 * Starts watching `watched`. PostgreSQL says only "lock timeout", never whose lock it was, and afterwards it
 * is too late to ask.
 */
export async function watchLocks(watched: Connection, onStep: OnStep): Promise<LockWatch> {
  const [row] = await watched.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = row?.pid;
  const watcher = await connect(watched.target, { applicationName: 'nestctl migrate (watch)' });
  let name = '';
  let seen: readonly Holder[] = [];
  let looking: Promise<void> = Promise.resolve();
  const look = async () => {
    // A watch that fails only leaves an error message without a name in it.
    const holders = await blockers(watcher, pid).catch(() => []);
    if (holders.length === 0) return;
    if (seen.length === 0) onStep({ type: 'waiting', for: 'lock', name, holders });
    seen = holders;
  };
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, EVERY);
  return {
    watch: (migration) => {
      name = migration;
      seen = [];
    },
    lastSeen: () => seen,
    cancel: async () => {
      await watcher.query('select pg_cancel_backend($1)', [pid]);
    },
    stop: async () => {
      clearInterval(timer);
      await looking;
      await watcher.close();
    },
  };
}

async function blockers(watcher: Connection, pid: number | undefined): Promise<Holder[]> {
  return watcher.query<Holder>(
    `select a.pid, coalesce(a.usename, '') as user, coalesce(a.application_name, '') as application,
            coalesce(a.state, '') as state,
            extract(epoch from clock_timestamp() - coalesce(a.xact_start, a.backend_start))::int as seconds
     from unnest(pg_blocking_pids($1)) as b(pid) join pg_stat_activity a on a.pid = b.pid
     order by a.pid`,
    [pid],
  );
}
