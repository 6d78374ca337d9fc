import type { EvidencePlaces } from '../../platform/config/evidence-places.js';
import { type KeySet, type PublishedKey, parseKeySet } from '../../platform/signing/key-set.js';
import { readPrivateFile, replacePrivateFile } from '../../platform/signing/private-file.js';
import { loadKeySet } from './key-set-file.js';

/** The public key of somebody else, and who let this console trust it. */
export interface ImportedKey extends PublishedKey {
  /** Whose it is, in the words of whoever imported it. */
  readonly owner: string;
  readonly imported_at: string;
  readonly imported_by: string;
  readonly imported_because?: string | undefined;
  readonly imported_ticket?: string | undefined;
}

/** The keys of others that this console trusts. They verify, and never sign here. */
export async function loadImported({ imported }: EvidencePlaces): Promise<readonly ImportedKey[]> {
  const text = await readPrivateFile(imported);
  return text === undefined ? [] : (parseKeySet(text, imported).keys as readonly ImportedKey[]);
}

export async function saveImported(
  { imported }: EvidencePlaces,
  keys: readonly ImportedKey[],
): Promise<void> {
  await replacePrivateFile(imported, `${JSON.stringify({ keys }, null, 2)}\n`);
}

/** All keys that records of a context are verified with: its own, and those that were imported. */
export async function verifyingKeys(places: EvidencePlaces): Promise<KeySet> {
  const { keys } = await loadKeySet(places);
  const own = new Set(keys.map(({ kid }) => kid));
  return { keys: [...keys, ...(await loadImported(places)).filter(({ kid }) => !own.has(kid))] };
}
