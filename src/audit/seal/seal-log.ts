import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { SEALER_LOCK, tryLock, unlock } from '../../platform/database/session-lock.js';
import { NestctlError } from '../../platform/errors.js';
import type { SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { makeCheckpoint } from './make-checkpoint.js';

export interface Sealing {
  /** Events that were given a leaf. */
  readonly sealed: number;
  /** Leaves of the tree. */
  readonly size: number;
  /** The newest checkpoint, signed now or, where nothing has changed, before. */
  readonly checkpoint: SignedCheckpoint;
  readonly signed: boolean;
}

export interface SealOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((size: number) => void) | undefined;
  /** Events in one transaction; 1,000,000 when absent. */
  readonly batch?: number;
}

/**
 * Seals every event of the transactions that have ended, and signs the head of the tree. Throws `seal_busy`,
 * `conflict` where a recovery was not recorded, and what `makeCheckpoint` does.
 */
export async function sealLog(
  session: Session,
  evidence: Evidence,
  options: SealOptions = {},
): Promise<Sealing> {
  return await alone(session, async () => {
    let sealed = 0;
    for (let more = true; more; ) {
      options.signal?.throwIfAborted();
      const [batch] = await session.query<{ sealed: number; size: number; more: boolean }>(
        'select sealed::float8, size::float8, more from audit.seal_events($1)',
        [options.batch ?? 1_000_000],
      );
      sealed += batch?.sealed ?? 0;
      more = batch?.more === true;
      options.onProgress?.(batch?.size ?? 0);
    }
    const { checkpoint, signed } = await makeCheckpoint(session, evidence);
    return { sealed, size: checkpoint.size, checkpoint, signed };
  });
}

/** Sealers are so quick that a second one waits for the first a little. */
async function alone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; !(await tryLock(session, SEALER_LOCK)); tries += 1) {
    if (tries === 50) {
      throw new NestctlError('Another console is sealing the audit log.', {
        kind: 'conflict',
        code: 'seal_busy',
        hint: 'Nothing is lost: it seals for all.',
        next: 'nestctl audit seal --status',
      });
    }
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    await unlock(session, SEALER_LOCK);
  }
}
