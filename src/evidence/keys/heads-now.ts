import type { Head, Heads } from '../../platform/signing/key-set.js';
import type { Evidence } from '../open-evidence.js';
import { sha256 } from '../record.js';

/** Where every chain ends now. */
export async function headsNow({ store }: Evidence): Promise<Heads> {
  const heads: [string, Head][] = [];
  for (const chain of await store.chains()) {
    const size = (await store.list(chain)).numbers.at(-1);
    const bytes = size === undefined ? undefined : await store.read(chain, size);
    if (size !== undefined && bytes !== undefined) heads.push([chain, { size, hash: sha256(bytes) }]);
  }
  return Object.fromEntries(heads);
}
