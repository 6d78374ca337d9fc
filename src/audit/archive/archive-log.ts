import { type Carrier, openEvidence, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { ARCHIVER_LOCK, tryLock, unlock } from '../../platform/database/session-lock.js';
import { NestctlError } from '../../platform/errors.js';
import { folderOf, requireLocks, sweepPersonal } from './archive-objects.js';
import { type Archive, beginArchive, readArchives } from './archives.js';
import { type CopyOptions, copyArchive } from './copy-archive.js';
import { dropArchived } from './drop-archived.js';
import { type DueErasure, dueErasures, eraseArchived } from './erase-archived.js';
import { monthOf } from './month.js';
import type { ArchivePlan } from './plan-archive.js';

export interface Archived {
  readonly months: readonly { readonly category: string; readonly month: string; readonly events: number }[];
  readonly place: string;
  /** Parts of erased people that were destroyed in archives, and versions of objects that held them. */
  readonly erased_parts: number;
  readonly destroyed_versions: number;
}

/**
 * Carries out what is planned: first the erasures that have still to reach archives, then month by month: copied,
 * signed for, compared byte for byte with the database, and dropped there. Killed at any moment, it is gone on with by
 * the next call. Throws `no_object_store`, `lock_missing`, `archive_busy` and what its steps do.
 */
export async function archiveLog(
  session: Session,
  context: Context,
  plan: ArchivePlan,
  options: CopyOptions = {},
): Promise<Archived> {
  if (!(await tryLock(session, ARCHIVER_LOCK))) {
    throw new NestctlError('Another console is archiving the audit log.', {
      kind: 'conflict',
      code: 'archive_busy',
      hint: 'It goes on with what was begun; wait until it is done.',
      next: 'nestctl audit archive --dry-run',
    });
  }
  try {
    return await withCarrier(context, async (carrier) => {
      await requireLocks(carrier);
      const done = { months: [] as Archived['months'][number][], erased_parts: 0, destroyed_versions: 0 };
      const erase = async () => {
        const { parts, versions } = await eraseDue(session, carrier, options);
        done.erased_parts += parts;
        done.destroyed_versions += versions;
      };
      await erase();
      for (const { category, month, events } of plan.months) {
        options.signal?.throwIfAborted();
        const begun = await beginArchive(
          session,
          monthOf(category, `${month}-01`),
          plan.tree_size,
          carrier.place,
        );
        if (begun.place !== carrier.place) throw elsewhere(begun, carrier);
        if (!begun.recorded) await copyArchive(session, carrier, openEvidence(context), begun, options);
        await erase();
        const recorded = (await readArchives(session)).find(({ id }) => id === begun.id);
        if (recorded !== undefined) await dropArchived(session, carrier, recorded, options);
        done.months.push({ category, month, events });
      }
      return { ...done, place: carrier.place };
    });
  } finally {
    await unlock(session, ARCHIVER_LOCK);
  }
}

async function eraseDue(session: Session, carrier: Carrier, options: CopyOptions) {
  const due = await dueErasures(session);
  let [parts, versions] = [0, 0];
  if (due.length === 0) return { parts, versions };
  for (const archive of await readArchives(session)) {
    const own: DueErasure[] = due.filter(({ archive_id }) => archive_id === archive.id);
    if (own.length === 0) continue;
    if (archive.place !== carrier.place) throw elsewhere(archive, carrier);
    if (!archive.recorded) {
      // It is written anew from what the database still holds; the erasure ends there.
      versions += await sweepPersonal(carrier.store, folderOf(carrier, archive.month, archive.id), new Set());
      continue;
    }
    const erased = await eraseArchived(session, carrier, archive, own, options);
    parts += erased.parts;
    versions += erased.versions;
  }
  return { parts, versions };
}

export function elsewhere(archive: Pick<Archive, 'place'>, carrier: Carrier): NestctlError {
  return new NestctlError(`An archive lies in ${archive.place}, and the context names ${carrier.place}.`, {
    kind: 'conflict',
    code: 'archive_elsewhere',
    hint: 'Use a context whose object store is the one that holds it.',
    next: 'nestctl context list',
  });
}
