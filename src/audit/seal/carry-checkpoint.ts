import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Carrier, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import { NestctlError } from '../../platform/errors.js';
import { lockMissing } from '../../platform/object-store/index.js';
import type { SignedCheckpoint } from '../../platform/transparency/checkpoint.js';

/** Beside the evidence of the context, `evidence/CONTEXT/`. */
const folderOf = ({ prefix }: Carrier) => `${prefix.replace(/^evidence\//, 'audit/')}checkpoints/`;

/** In the order of their sizes, then of time. */
function keyOf(carrier: Carrier, { origin, size, madeAt }: SignedCheckpoint): string {
  const epoch = origin.slice(origin.lastIndexOf('/') + 1).padStart(4, '0');
  return `${folderOf(carrier)}${epoch}/${String(size).padStart(16, '0')}-${madeAt.replace(/[^0-9]/g, '')}.note`;
}

/**
 * Carries a checkpoint to where nobody can change it (Object Lock, compliance mode); returns the place. Throws
 * `lock_missing` and what the object store does.
 */
export async function carryCheckpoint(context: Context, checkpoint: SignedCheckpoint): Promise<string> {
  return await withCarrier(context, async (carrier) => {
    const { store, retainDays, place } = carrier;
    if ((await store.takesLocks()) === false) {
      throw lockMissing(`What is carried to ${place}`, 'The checkpoint was not sent.');
    }
    const retainUntil = new Date(Date.now() + retainDays * 86_400_000);
    const contentType = 'text/plain; charset=utf-8';
    const bytes = Buffer.from(checkpoint.note);
    try {
      await store.put(keyOf(carrier, checkpoint), bytes, { ifAbsent: true, retainUntil, contentType });
    } catch (error) {
      // The same note, from a run that was cut off: its name holds the moment when it was signed.
      if (!(error instanceof NestctlError) || error.code !== 'object_exists') throw error;
    }
    return place;
  });
}

/** All checkpoints that were ever carried, deleted and replaced versions among them. */
export async function carriedCheckpoints(context: Context): Promise<string[]> {
  return await withCarrier(context, async (carrier) => {
    const notes: string[] = [];
    for await (const { key, id, marker } of carrier.store.versions(folderOf(carrier))) {
      if (marker) continue;
      const bytes: Readable = carrier.store.get(key, { version: id });
      notes.push((await buffer(bytes)).toString('utf8'));
    }
    return notes;
  });
}
