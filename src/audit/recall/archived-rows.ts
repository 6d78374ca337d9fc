import type { ObjectStore } from '../../platform/object-store/index.js';
import { damaged, fetchObject, linesOf } from '../archive/archive-objects.js';
import { type PersonalParts, partsAreProven, type Skeleton } from '../archive/archived-event.js';
import type { StoredChunk } from './stored-chunks.js';

/**
 * The events of a pair of objects, each as an object for `json_to_recordset`: none where one part of one of them is not
 * what its leaf has. Without personal object the skeleton alone. Throws `archive_damaged`.
 */
export async function archivedRows(
  store: ObjectStore,
  chunk: StoredChunk,
  lawful: ReadonlySet<string>,
): Promise<Readonly<Record<string, unknown>>[]> {
  const { skeleton, personal, events } = chunk;
  const bones = await linesOf<Skeleton>(await fetchObject(store, skeleton));
  const parts =
    personal === undefined ? undefined : await linesOf<PersonalParts>(await fetchObject(store, personal));
  const whole = bones.length === events && (parts === undefined || parts.length === events);
  if (!whole) throw unproven(chunk, 'it has not as many events as were signed for');
  return bones.map(({ parts: _, ...clear }, at) => {
    const own = parts?.[at];
    if (own === undefined) return clear;
    const bone = bones[at] as Skeleton;
    if (!partsAreProven(bone, own, lawful))
      throw unproven(chunk, `event ${bone.id} is not what its leaf has`);
    const { salts: __, ...fields } = own;
    return { ...fields, ...clear };
  });
}

function unproven({ personal, skeleton }: StoredChunk, how: string) {
  return damaged(
    `${(personal ?? skeleton).key} is not what was archived: ${how}.`,
    'Nothing of it was believed.',
  );
}
