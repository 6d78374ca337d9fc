import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { lockHolders, MAINTENANCE_LOCK, tryLock, unlock } from '../platform/database/session-lock.js';
import { NestctlError } from '../platform/errors.js';

export interface LockOptions {
  /** Longest wait for somebody else's maintenance, milliseconds. */
  readonly patience: number;
  readonly signal: AbortSignal;
  readonly tell: (message: string) => void;
}

/**
 * Runs `work` as the only maintenance of this database. Who comes second waits as long as their patience lasts,
 * then throws `maintenance_busy` with who is at work since when.
 */
export async function withMaintenanceLock<T>(
  session: Session,
  { patience, signal, tell }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const end = Date.now() + patience;
  let told = false;
  while (!(await tryLock(session, MAINTENANCE_LOCK))) {
    const who = await describeOther(session);
    if (Date.now() >= end) throw busy(who);
    if (!told) tell(`waiting: ${who}`);
    told = true;
    // The signal's own error would hide that this is an interruption.
    await sleep(Math.min(500, Math.max(1, end - Date.now())), undefined, { signal }).catch(() => undefined);
    if (signal.aborted)
      throw new NestctlError('Interrupted while waiting; nothing was run.', { kind: 'interrupted' });
  }
  try {
    return await work();
  } finally {
    await unlock(session, MAINTENANCE_LOCK);
  }
}

async function describeOther(session: Session): Promise<string> {
  const [run] = await session.query<{ job: string; run_by: string; host: string; started_at: Date }>(sql`
    select job, run_by, host, started_at from ops.maintenance_runs
    where ended_at is null order by started_at desc limit 1`);
  if (run !== undefined) {
    return `${run.run_by} on ${run.host} has been running "${run.job}" since ${run.started_at.toISOString()}`;
  }
  const [holder] = await lockHolders(session, MAINTENANCE_LOCK);
  return holder === undefined
    ? 'another maintenance is just ending'
    : `process ${holder.pid} of the server holds the lock, between two jobs`;
}

function busy(who: string): NestctlError {
  return new NestctlError(`Maintenance is running already: ${who}.`, {
    kind: 'conflict',
    code: 'maintenance_busy',
    hint: 'Nothing was run. --wait 15m waits for it.',
    next: 'nestctl maintenance status',
  });
}
