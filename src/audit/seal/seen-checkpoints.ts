import type { Evidence } from '../../evidence/index.js';
import { NestctlError } from '../../platform/errors.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { readPrivateFile, replacePrivateFile } from '../../platform/signing/private-file.js';
import { openCheckpoint, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';

/** So many checkpoints are remembered; of more, every other one of the older half is let go. */
const KEPT = 64;

/**
 * The checkpoints that this console has seen, the first one first: it is a witness against a log that was cut, forked
 * or written anew.
 */
export async function seenCheckpoints(
  evidence: Pick<Evidence, 'places'>,
  keys: readonly NamedKey[],
): Promise<SignedCheckpoint[]> {
  const notes = await read(evidence);
  return notes.flatMap((note) => openCheckpoint(note, keys) ?? []);
}

/** Remembers a checkpoint. Only while the evidence is locked. */
export async function rememberCheckpoint(
  evidence: Pick<Evidence, 'places'>,
  { note }: { readonly note: string },
): Promise<void> {
  const notes = await read(evidence);
  if (notes.includes(note)) return;
  const all = [...notes, note];
  const thinned = all.filter((_, at) => at >= KEPT / 2 || at % 2 === 0);
  const kept = all.length > KEPT ? thinned : all;
  await replacePrivateFile(
    evidence.places.checkpoints,
    `${JSON.stringify({ checkpoints: kept }, null, 2)}\n`,
  );
}

async function read({ places }: Pick<Evidence, 'places'>): Promise<readonly string[]> {
  const text = await readPrivateFile(places.checkpoints);
  if (text === undefined) return [];
  try {
    const { checkpoints } = JSON.parse(text) as { checkpoints: unknown };
    if (Array.isArray(checkpoints) && checkpoints.every((note) => typeof note === 'string'))
      return checkpoints;
  } catch {
    // Said below.
  }
  throw new NestctlError(`${places.checkpoints} is not a list of checkpoints.`, {
    kind: 'failure',
    code: 'checkpoints_invalid',
    hint: 'It is what this console remembers of the audit log: put it back from a backup, or ask who changed it.',
  });
}
