import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../../platform/errors.js';

const TRIES = 20;

/** Drops a partition: whoever reads the whole log delays it, and writers are not to wait behind it. Throws `lock_timeout`. */
export async function whenUnlocked<T>(drop: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await drop();
    } catch (error) {
      if (!(error instanceof NestctlError) || error.code !== 'lock_timeout' || tries === TRIES) throw error;
      await sleep(500);
    }
  }
}
