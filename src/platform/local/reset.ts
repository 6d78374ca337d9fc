import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveContext } from '../config/contexts.js';
import { evidencePlaces } from '../config/evidence-places.js';
import { pruneStaged, readyBinaries } from './binaries.js';
import { contextsOf, refuseTakenContexts } from './contexts.js';
import { withLock } from './lock.js';
import { localPaths, makeFolders } from './paths.js';
import { serverUser } from './run-as.js';
import { stopServer } from './server.js';
import { type UpOptions, type UpReport, upLocked } from './up.js';

/**
 * Stops the embedded server, removes its data, archived WAL, log and passwords, and makes it all anew; forgets the
 * checkpoints that were seen of its audit log. For good: ask first. Interrupted, it is finished by the next `up`.
 */
export async function reset(options: UpOptions = {}): Promise<UpReport> {
  const user = await serverUser(options.lookup);
  await refuseTakenContexts();
  const paths = localPaths();
  await makeFolders(paths, user);
  const work = async () => {
    // Before anything is removed: without programs there would be no way on.
    const binaries = await readyBinaries({ user, stageIn: paths.binaries, package: options.package });
    await stopServer(paths.data, { immediate: true });
    await pruneStaged(paths.binaries, binaries);
    // What was seen of its audit log would be a witness against the new one.
    for (const name of await contextsOf(paths))
      await rm(evidencePlaces(await resolveContext(name)).checkpoints, { force: true });
    for (const path of [paths.data, paths.wal, paths.log, paths.passfile]) await discard(path, paths.cluster);
    await makeFolders(paths, user);
    return upLocked(paths, user, options);
  };
  return withLock(paths.lock, work, { onWait: (pid) => options.onStage?.({ type: 'waiting', pid }) });
}

/** Renamed first, so that what an interruption leaves is recognised as remains. */
async function discard(path: string, cluster: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  const doomed = join(cluster, `making-gone-${path.slice(cluster.length + 1)}`);
  await rm(doomed, { recursive: true, force: true });
  await rename(path, doomed);
  await rm(doomed, { recursive: true, force: true, maxRetries: 5 });
}
