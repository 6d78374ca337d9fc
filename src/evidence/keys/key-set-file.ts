import type { EvidencePlaces } from '../../platform/config/evidence-places.js';
import { type PublishedKey, parseKeySet } from '../../platform/signing/key-set.js';
import { readPrivateFile, replacePrivateFile } from '../../platform/signing/private-file.js';

/** A key with who did what to it, which is not published. */
export interface KnownKey extends PublishedKey {
  readonly made_by?: string;
  readonly made_because?: string;
  readonly retired_by?: string;
  readonly retired_because?: string;
}

/** The keys of a context, oldest first; none where there is no file yet. Throws `key_set_invalid`, `key_open`. */
export async function loadKeySet({
  keySet,
}: EvidencePlaces): Promise<{ readonly keys: readonly KnownKey[] }> {
  const text = await readPrivateFile(keySet);
  return text === undefined ? { keys: [] } : parseKeySet(text, keySet);
}

export async function saveKeySet({ keySet }: EvidencePlaces, keys: readonly KnownKey[]): Promise<void> {
  await replacePrivateFile(keySet, `${JSON.stringify({ keys }, null, 2)}\n`);
}

/** The one that signs, if there is one. */
export function activeKey(keys: readonly KnownKey[]): KnownKey | undefined {
  return keys.find(({ retired_at }) => retired_at === undefined);
}
