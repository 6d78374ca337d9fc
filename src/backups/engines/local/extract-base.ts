import { extract } from 'tar';
import { serverUser } from '../../../platform/local/run-as.js';
import type { WorkOptions } from '../../engine.js';

/** Unpacks a cluster for the user that its server runs as, readable by nobody else. */
export async function extractBase(file: string, folder: string, { signal }: WorkOptions): Promise<void> {
  const user = await serverUser();
  await extract({
    ...{ file, cwd: folder, strict: true, umask: 0o077 },
    ...(user.dropped ? { uid: user.uid, gid: user.gid } : {}),
    onReadEntry: () => signal?.throwIfAborted(),
  });
}
