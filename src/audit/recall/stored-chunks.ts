import type { Carrier } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type ArchiveObject, damaged, fetchObject } from '../archive/archive-objects.js';
import { type Archive, readObjects } from '../archive/archives.js';
import { nameOf } from '../archive/month.js';
import type { Bounds } from '../filter/bounds.js';

/** A pair of objects of an archive with the digests that were signed for. */
export interface StoredChunk {
  readonly archive: Archive;
  readonly events: number;
  /** To the millisecond, as the manifest says; the last event may be later within it. */
  readonly first: Date;
  readonly last: Date;
  readonly skeleton: Pick<ArchiveObject, 'key' | 'version' | 'sha256' | 'size'>;
  /** Undefined where the database does not name it to the session's duty. */
  readonly personal: Pick<ArchiveObject, 'key' | 'version' | 'sha256' | 'size'> | undefined;
}

/**
 * The objects of an archive that hold something within the bounds. Its record was signed for the manifest, and the manifest has the digest of each locked
 * object: what the table of objects says of their digests is not asked. Throws `archive_damaged`, `archive_elsewhere`.
 */
export async function storedChunks(
  session: Session,
  carrier: Carrier,
  archive: Archive,
  { since, until }: Bounds,
): Promise<StoredChunk[]> {
  if (archive.place !== carrier.place) throw elsewhere(archive, carrier);
  const objects = await readObjects(session, archive.id);
  const find = (kind: ArchiveObject['kind'], number: number) =>
    objects.find((one) => one.kind === kind && one.number === number);
  const manifest = find('manifest', 0);
  if (manifest === undefined) throw lacking(archive, 'its manifest');
  const bytes = await fetchObject(carrier.store, { ...manifest, sha256: archive.manifest ?? '' });
  const named: readonly ArchiveObject[] = JSON.parse(bytes.toString('utf8')).objects;
  const chunks = named
    .filter(({ kind }) => kind === 'skeleton')
    .map(({ number, sha256, events, first_at, last_at }): StoredChunk => {
      const skeleton = find('skeleton', number);
      if (skeleton === undefined || first_at === null || last_at === null)
        throw lacking(archive, `skeleton ${number}`);
      const personal = find('personal', number);
      if (personal === undefined && session.duty !== 'sre')
        throw lacking(archive, `personal object ${number}`);
      return {
        archive,
        events,
        first: new Date(first_at),
        last: new Date(last_at),
        skeleton: { ...skeleton, sha256 },
        personal: session.duty === 'sre' ? undefined : personal,
      };
    });
  if (chunks.reduce((sum, { events }) => sum + events, 0) !== archive.events)
    throw lacking(archive, `some of its ${archive.events} events`);
  return chunks.filter(
    ({ first, last }) => (since === undefined || last >= since) && (until === undefined || first < until),
  );
}

function lacking({ month }: Archive, what: string): NestctlError {
  return damaged(
    `The archive of ${nameOf(month)} lacks ${what}.`,
    'The database does not name what was signed for, and nothing of it was believed.',
  );
}

function elsewhere({ month, place }: Archive, carrier: Carrier): NestctlError {
  return new NestctlError(
    `The archive of ${nameOf(month)} lies in ${place}, and the context names ${carrier.place}.`,
    {
      kind: 'conflict',
      code: 'archive_elsewhere',
      hint: 'Use a context whose object store is the one that holds it.',
      next: 'nestctl context list',
    },
  );
}
