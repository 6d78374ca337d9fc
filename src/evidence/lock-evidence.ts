import { join } from 'node:path';
import { withLock } from '../platform/local/lock.js';
import { makePrivateFolder } from '../platform/private-folder.js';
import type { Evidence } from './open-evidence.js';

/**
 * One at a time on this machine signs or changes keys, so that no record is signed with a key that is being
 * retired. Against other machines a record's number protects: only one of them gets it.
 */
export async function lockEvidence<T>({ places }: Evidence, work: () => Promise<T>): Promise<T> {
  await makePrivateFolder(places.trust);
  return await withLock(join(places.trust, 'lock'), work);
}
