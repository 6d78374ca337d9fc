import { type Carrier, type Evidence, timeOf } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ENTRY, Tally } from '../verify/tally.js';
import {
  type ArchiveObject,
  folderOf,
  pack,
  personalKey,
  sha256,
  skeletonKey,
  storeOnce,
  sweepPersonal,
} from './archive-objects.js';
import type { Archive } from './archives.js';
import { storeLeaves, summarizeLeaves } from './leaf-records.js';
import { keptUntil, nameOf } from './month.js';
import { readPartition } from './read-partition.js';
import { signArchive } from './sign-archive.js';

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whoever comes late with an old month still gets a lock that means something: so long at least, milliseconds. */
  readonly leastLock?: number;
  readonly onProgress?: ((done: number, what: string) => void) | undefined;
}

/**
 * Brings the events of a month to the object store and records them, signed: skeletons and leaves locked, personal
 * parts in objects of their own. Cut off at any moment it is gone on with by the next call. Throws `log_edited`,
 * `archive_incomplete` and what the store does.
 */
export async function copyArchive(
  session: Session,
  carrier: Carrier,
  evidence: Evidence,
  archive: Archive,
  { signal, onProgress, leastLock = 86_400_000 }: CopyOptions = {},
): Promise<void> {
  const { store } = carrier;
  const { month } = archive;
  const folder = folderOf(carrier, month, archive.id);
  const until = new Date(Math.max(keptUntil(month).getTime(), Date.now() + leastLock));
  const objects: ArchiveObject[] = [];
  const tally = new Tally();
  let events = 0;
  for await (const chunk of readPartition(session, month)) {
    signal?.throwIfAborted();
    for (let at = 0; at < chunk.leaves.length; at += LEAF) {
      const leaf = chunk.leaves.subarray(at + ENTRY, at + LEAF);
      tally.add(chunk.leaves.subarray(at, at + ENTRY), leaf, undefined);
    }
    const about = {
      number: chunk.number,
      events: chunk.events,
      first_at: timeOf({ occurred_at: chunk.first_at }),
      last_at: timeOf({ occurred_at: chunk.last_at }),
    };
    const bones = await pack(chunk.skeleton);
    const skeleton = await storeOnce(store, skeletonKey(folder, chunk.number), bones, GZIP, until);
    objects.push({ kind: 'skeleton', ...about, ...skeleton });
    const parts = await pack(chunk.personal);
    const personal = await storeOnce(store, personalKey(folder, chunk.number, sha256(parts)), parts, GZIP);
    objects.push({ kind: 'personal', ...about, ...personal });
    events += chunk.events;
    onProgress?.(events, `${nameOf(month)}: copying`);
  }
  const current = new Set(objects.filter(({ kind }) => kind === 'personal').map(({ key }) => key));
  await sweepPersonal(store, folder, current);

  const leaves = await summarizeLeaves(session, archive, tally);
  if (leaves.count !== events || tally.differing().length > 0)
    throw incomplete(archive, events, leaves.count);
  objects.push({
    kind: 'leaves',
    number: 0,
    events,
    first_at: null,
    last_at: null,
    ...(await storeLeaves(session, store, `${folder}leaves.bin`, archive, leaves, until)),
  });
  await signArchive(session, carrier, evidence, archive, { events, leaves, objects, folder, until });
}

const GZIP = 'application/gzip';
/** Of an entry and its leaf. */
const LEAF = ENTRY + 32;

function incomplete({ month }: Archive, events: number, leaves: number): NestctlError {
  return new NestctlError(
    `The ${events} events of ${nameOf(month)} are not those of the ${leaves} leaves that the tree has of it.`,
    {
      kind: 'conflict',
      code: 'archive_incomplete',
      hint: 'Events came since the last checkpoint, or the log was tampered with. Nothing was dropped.',
      next: 'nestctl audit verify',
    },
  );
}
