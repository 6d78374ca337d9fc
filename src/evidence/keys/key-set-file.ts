import type { EvidencePlaces } from '../../platform/config/evidence-places.js';
import { type PublishedKey, parseKeySet } from '../../platform/signing/key-set.js';
import type { Made } from '../../platform/signing/ledger-keys.js';
import { readPrivateFile, replacePrivateFile } from '../../platform/signing/private-file.js';

/** Why a key is changed, in the words of whoever changes it. */
export interface Why {
  readonly because?: string | undefined;
  readonly ticket?: string | undefined;
}

/** A key with who did what to it, which is not published. */
export interface KnownKey extends PublishedKey, Made {
  readonly retired_by?: string | undefined;
  readonly retired_because?: string | undefined;
  readonly retired_ticket?: string | undefined;
}

/** What is kept with a key of who made it. */
export function madeBy(operator: string, { because, ticket }: Why): Made {
  return { made_by: operator, made_because: because, made_ticket: ticket };
}

/** What is kept with a key of who retired it. */
export function retiredBy(
  operator: string,
  { because, ticket }: Why,
): Pick<KnownKey, 'retired_by' | 'retired_because' | 'retired_ticket'> {
  return { retired_by: operator, retired_because: because, retired_ticket: ticket };
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
