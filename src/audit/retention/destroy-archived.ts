import type { Carrier } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { folderOf, personalFolder } from '../archive/archive-objects.js';
import { type Archive, readObjects } from '../archive/archives.js';
import type { Pruning } from './prunings.js';

export interface Destroyed {
  readonly versions: number;
  /** The first moment from which all that is left may go; undefined where nothing is left. */
  readonly lockedUntil: Date | undefined;
}

/**
 * Destroys an archived month in the store, whoever left what there: every version of every object whose lock has ended,
 * what belongs to people first. Cut off, or stopped by a lock, it is gone on with by the next call. Refused before the
 * first byte where the signed record is not sealed.
 */
export async function destroyArchived(
  session: Session,
  carrier: Carrier,
  pruning: Pruning,
  archive: Archive,
  signal?: AbortSignal,
): Promise<Destroyed> {
  const { store } = carrier;
  await session.query('select audit.ready_to_destroy($1)', [pruning.id]);
  const folder = folderOf(carrier, archive.month, archive.id);
  const found: { readonly key: string; readonly id: string; readonly marker: boolean }[] = [];
  for await (const { key, id, marker } of store.versions(folder)) found.push({ key, id, marker });
  found.sort((a, b) => Number(isPersonal(b.key, folder)) - Number(isPersonal(a.key, folder)));
  const left = new Set<string>();
  let versions = 0;
  let lockedUntil: Date | undefined;
  for (const { key, id, marker } of found) {
    signal?.throwIfAborted();
    const until = marker ? null : ((await store.head(key, id))?.retain_until ?? null);
    if (until !== null && until.getTime() > Date.now()) {
      left.add(key);
      if (lockedUntil === undefined || until > lockedUntil) lockedUntil = until;
      continue;
    }
    await store.removeVersion(key, id);
    if (!marker) versions += 1;
  }
  for await (const { key } of store.versions(folder)) left.add(key);
  for (const { key, kind, number } of await readObjects(session, archive.id)) {
    if (!left.has(key))
      await session.query('select audit.mark_destroyed($1, $2, $3)', [pruning.id, kind, number]);
  }
  if (left.size > 0) return { versions, lockedUntil: lockedUntil ?? new Date() };
  await session.query('select audit.finish_destroyed($1)', [pruning.id]);
  return { versions, lockedUntil: undefined };
}

const isPersonal = (key: string, folder: string) => key.startsWith(personalFolder(folder));
