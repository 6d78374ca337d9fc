import type { KeySet } from '../../platform/signing/key-set.js';

/** What is wrong with something that was signed, a sentence without its full stop. */
export interface Refusal<Kind extends string = never> {
  readonly kind: Kind | 'edited' | 'unknown_key' | 'stolen_key' | 'retired_key';
  readonly detail: string;
}

/** Whether the key that signed something at a time was good for it then; undefined where it was. */
export function judgeSigner(
  { keys }: KeySet,
  kid: string | undefined,
  signedAt: string,
  what: string,
): Refusal | undefined {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined) return { kind: 'unknown_key', detail: `no key of this set has signed ${what}` };
  if (key.stolen_since !== undefined && signedAt >= key.stolen_since) {
    return {
      kind: 'stolen_key',
      detail: `signed ${signedAt} with the key ${kid}, reported stolen since ${key.stolen_since}`,
    };
  }
  if (key.retired_at !== undefined && signedAt >= key.retired_at) {
    return {
      kind: 'retired_key',
      detail: `signed ${signedAt} with the key ${kid}, retired ${key.retired_at}`,
    };
  }
  return undefined;
}
