import type { Carrier } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type ArchiveObject, fetchObject, unpack } from './archive-objects.js';
import { type Archive, readObjects } from './archives.js';
import type { CopyOptions } from './copy-archive.js';
import { nameOf } from './month.js';
import { readPartition } from './read-partition.js';
import { whenUnlocked } from './when-unlocked.js';

/**
 * Compares every byte that the store holds of a month with what the database holds, and then drops the partition,
 * in one transaction in which nobody changes it. Throws `archive_differs`, `archive_damaged`, and `conflict` where an
 * erasure or something unsealed is in the way.
 */
export async function dropArchived(
  session: Session,
  { store }: Carrier,
  archive: Archive,
  { signal, onProgress }: CopyOptions = {},
): Promise<void> {
  await session.transaction(async () => {
    await session.query('select audit.hold_partition($1)', [archive.id]);
    const objects = await readObjects(session, archive.id);
    const find = (kind: ArchiveObject['kind'], number: number) => {
      const object = objects.find((one) => one.kind === kind && one.number === number);
      if (object === undefined) throw differs(archive, `it has no ${kind} object ${number}`);
      return object;
    };
    let events = 0;
    let chunks = 0;
    for await (const chunk of readPartition(session, archive.month)) {
      signal?.throwIfAborted();
      for (const [kind, expected] of [
        ['skeleton', chunk.skeleton],
        ['personal', chunk.personal],
      ] as const) {
        const object = find(kind, chunk.number);
        const stored = await unpack(await fetchObject(store, object));
        if (!stored.equals(expected)) throw differs(archive, `${object.key} holds something else`);
      }
      events += chunk.events;
      chunks += 1;
      onProgress?.(events, `${nameOf(archive.month)}: comparing`);
    }
    if (events !== archive.events || objects.filter(({ kind }) => kind === 'skeleton').length !== chunks)
      throw differs(archive, `it was recorded with ${archive.events} events, and there are ${events}`);
    await dropNow(session, archive);
  });
}

async function dropNow(session: Session, { id }: Archive): Promise<void> {
  await whenUnlocked(async () => {
    await session.query('savepoint before_drop');
    try {
      await session.query('select audit.drop_archived($1)', [id]);
    } catch (error) {
      await session.query('rollback to savepoint before_drop').catch(() => undefined);
      throw error;
    }
  });
}

function differs({ month }: Archive, how: string): NestctlError {
  return new NestctlError(`The archive of ${nameOf(month)} is not what the database holds: ${how}.`, {
    kind: 'conflict',
    code: 'archive_differs',
    hint: 'Nothing was dropped.',
    next: 'nestctl audit verify',
  });
}
