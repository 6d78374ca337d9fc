import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Carrier, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { StoredObject } from '../../platform/object-store/index.js';
import type { SignedCheckpoint } from '../../platform/transparency/checkpoint.js';

/** Beside the evidence of the context, `evidence/CONTEXT/`. */
const folderOf = ({ prefix }: Carrier) => `${prefix.replace(/^evidence\//, 'audit/')}checkpoints/`;

/** In the order of their sizes, then of time. */
function keyOf(carrier: Carrier, { origin, size, madeAt }: SignedCheckpoint): string {
  const epoch = origin.slice(origin.lastIndexOf('/') + 1).padStart(4, '0');
  return `${folderOf(carrier)}${epoch}/${String(size).padStart(16, '0')}-${madeAt.replace(/[^0-9]/g, '')}.note`;
}

/** Whether a checkpoint lies in the store, locked: a run that was cut off may have left it without its lock. */
export async function isCarried(carrier: Carrier, checkpoint: SignedCheckpoint): Promise<boolean> {
  const there = await carrier.store.head(keyOf(carrier, checkpoint));
  return there !== undefined && there.retain_until !== null && isNote(there, checkpoint);
}

/**
 * Carries a checkpoint to where nobody can change it (Object Lock, compliance mode). What lies under its name already
 * and is the same is locked; what is something else stays, below it.
 */
export async function carryCheckpoint(carrier: Carrier, checkpoint: SignedCheckpoint): Promise<void> {
  const { store, retainDays } = carrier;
  const key = keyOf(carrier, checkpoint);
  const retainUntil = new Date(Date.now() + retainDays * 86_400_000);
  const there = await store.head(key);
  if (there !== undefined && isNote(there, checkpoint)) {
    await store.retain(key, retainUntil, there.version ?? undefined);
    return;
  }
  const contentType = 'text/plain; charset=utf-8';
  await store.put(key, Buffer.from(checkpoint.note), { retainUntil, contentType });
}

function isNote({ size, sha256 }: StoredObject, { note }: SignedCheckpoint): boolean {
  return size === Buffer.byteLength(note) && sha256 === hash('sha256', note, 'hex');
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
