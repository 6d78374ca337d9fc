import { stat } from 'node:fs/promises';
import { withLock } from './lock.js';
import { localPaths } from './paths.js';
import { stopServer } from './server.js';

export interface DownOptions {
  /** Without a checkpoint: at once, and the next start replays WAL. */
  readonly immediate?: boolean;
  readonly onWait?: ((pid: number) => void) | undefined;
}

export interface DownReport {
  /** False where it did not run. */
  readonly stopped: boolean;
  readonly data: string;
}

/** Stops the embedded server: running statements are cancelled, nothing committed is lost. */
export async function down(options: DownOptions = {}): Promise<DownReport> {
  const { cluster, data, lock } = localPaths();
  if ((await stat(cluster).catch(() => undefined)) === undefined) return { stopped: false, data };
  const stopped = await withLock(lock, () => stopServer(data, options), { onWait: options.onWait });
  return { stopped, data };
}
