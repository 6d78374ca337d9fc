import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NestctlError } from '../platform/errors.js';
import { stopServer } from '../platform/local/server.js';
import { folderOf, type Restore, readRestore, restoreIds } from './isolated/folder.js';

/** The restore of this id; the newest without. Throws `not_found`. */
export async function findRestore(id?: string): Promise<Restore> {
  const ids = await restoreIds();
  const wanted = id ?? ids[0];
  const restore = wanted === undefined || !ids.includes(wanted) ? undefined : await readRestore(wanted);
  if (restore !== undefined) return restore;
  throw new NestctlError(id === undefined ? 'Nothing is restored here.' : `There is no restore ${id}.`, {
    kind: 'not_found',
    code: 'no_restore',
    ...(id === undefined ? {} : { mistaken: { name: id, among: ids } }),
    next: 'nestctl restore status',
  });
}

/** Stops its server and removes all of it, but for the log of one that failed. */
export async function discardRestore(
  id: string,
  keep: { readonly log: boolean } = { log: false },
): Promise<void> {
  const restore = await readRestore(id);
  const folder = folderOf(id);
  await stopServer(join(folder, 'data'), { immediate: true });
  if (restore?.socket != null) await rm(restore.socket, { recursive: true, force: true });
  if (restore !== undefined && !keep.log) await rm(restore.log, { force: true });
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
