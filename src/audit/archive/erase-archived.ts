import type { Carrier } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import {
  fetchObject,
  folderOf,
  linesOf,
  pack,
  personalKey,
  sha256,
  storeOnce,
  sweepPersonal,
} from './archive-objects.js';
import type { PersonalParts, Skeleton } from './archived-event.js';
import { type Archive, readObjects } from './archives.js';
import type { CopyOptions } from './copy-archive.js';
import { nameOf } from './month.js';
import { erasePart, partsAbout } from './parts-about.js';

/** An erasure in the log that has still to reach an archive. */
export interface DueErasure {
  readonly approval_id: string;
  readonly archive_id: string;
  readonly recorded: boolean;
  readonly request: string;
  readonly person: string;
  readonly families: readonly string[];
  readonly names: readonly string[];
  /** Questions about the person, whose record goes too. */
  readonly readings: readonly string[];
}

export async function dueErasures(session: Session): Promise<DueErasure[]> {
  return await session.query<DueErasure>(
    'select approval_id, archive_id, recorded, request, person, families, names, readings from audit.due_archive_erasures()',
  );
}

/**
 * Destroys in an archive what erasures took from the log: every personal object is read, those that hold such parts
 * are replaced by one without them, and all versions of those before are deleted. Reading all of them finds names that
 * no index could know. Returns how many parts went. Cut off, it is gone on with by the next call.
 */
export async function eraseArchived(
  session: Session,
  carrier: Carrier,
  archive: Archive,
  due: readonly DueErasure[],
  { signal, onProgress }: CopyOptions = {},
): Promise<{ readonly parts: number; readonly versions: number }> {
  const { store } = carrier;
  const folder = folderOf(carrier, archive.month, archive.id);
  const skeletons = await readObjects(session, archive.id, 'skeleton');
  const counts = due.map(() => ({ events: 0, parts: 0 }));
  let read = 0;
  for (const object of await readObjects(session, archive.id, 'personal')) {
    signal?.throwIfAborted();
    const bones = skeletons.find(({ number }) => number === object.number);
    if (bones === undefined) throw new Error(`no skeleton ${object.number}`);
    const events = await linesOf<PersonalParts>(await fetchObject(store, object));
    const clear = await linesOf<Skeleton>(await fetchObject(store, bones));
    for (const [at, event] of events.entries()) {
      const skeleton = clear[at];
      if (skeleton?.id !== event.id) throw new Error(`personal parts without their skeleton: ${event.id}`);
      due.forEach((erasure, which) => {
        for (const part of partsAbout(event, skeleton, erasure)) erasePart(event, part, erasure.request);
        // Those of a try before, too.
        const parts = event.erased_requests?.filter((request) => request === erasure.request).length ?? 0;
        const count = counts[which];
        if (count === undefined || parts === 0) return;
        count.events += 1;
        count.parts += parts;
      });
    }
    read += object.events;
    onProgress?.(read, `${nameOf(archive.month)}: erasing`);
    if (!events.some((event) => touched(event, due))) continue;
    const bytes = await pack(Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join('')));
    const key = personalKey(folder, object.number, sha256(bytes));
    if (key === object.key) continue;
    const sent = await storeOnce(store, key, bytes, 'application/gzip');
    await session.query('select audit.replace_personal($1, $2, $3, $4, $5, $6)', [
      archive.id,
      object.number,
      sent.key,
      sent.version,
      sent.size,
      sent.sha256,
    ]);
  }
  const current = new Set((await readObjects(session, archive.id, 'personal')).map(({ key }) => key));
  const versions = await sweepPersonal(store, folder, current);
  for (const [at, { approval_id }] of due.entries()) {
    const { events = 0, parts = 0 } = counts[at] ?? {};
    await session.query('select audit.finish_archive_erasure($1, $2, $3, $4)', [
      approval_id,
      archive.id,
      events,
      parts,
    ]);
  }
  return { parts: counts.reduce((sum, { parts }) => sum + parts, 0), versions };
}

function touched(event: PersonalParts, due: readonly DueErasure[]): boolean {
  return due.some(({ request }) => event.erased_requests?.includes(request) === true);
}
