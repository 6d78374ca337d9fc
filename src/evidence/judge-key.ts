import type { Heads, KeySet } from '../platform/signing/key-set.js';
import type { FaultKind } from './fault.js';
import type { EvidenceRecord } from './record.js';

/** What speaks against a record because of its key; `unproven` where nothing does but its signer's word is all there is. */
export interface Judgement {
  readonly kind: FaultKind | 'unproven';
  /** A sentence without its full stop. */
  readonly detail: string;
}

/**
 * Whether the key that signed a record was good for it; undefined where it was. `place` is where the record stands
 * in its chain, undefined for one that is looked at alone.
 *
 * Times in a record are the signer's word, and a place in a chain is not: beyond the heads that a key's chains had
 * when it was retired nothing of it is valid, whatever time it claims. Of a stolen key, records that claim a time
 * before the theft are good as far as a clock other than the thief's proves them, and unproven beyond.
 */
export function judgeKey(
  kid: string,
  record: EvidenceRecord,
  place: number | undefined,
  { keys }: KeySet,
): Judgement | undefined {
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return { kind: 'unknown_key', detail: `the key ${kid} is not in the key set` };
  const { made_at: madeAt, chain, context } = record;
  const at = place ?? record.number;
  if (madeAt < key.valid_from) {
    return { kind: 'early_key', detail: `made ${madeAt}, before its key ${kid} was valid` };
  }
  if (key.stolen_since !== undefined && madeAt >= key.stolen_since) {
    return {
      kind: 'stolen_key',
      detail: `made ${madeAt} with the key ${kid}, reported stolen since ${key.stolen_since}`,
    };
  }
  if (key.retired_at !== undefined) {
    const kind = key.stolen_since === undefined ? 'retired_key' : 'stolen_key';
    const known = key.heads?.[context];
    if (known !== undefined && at > sizeOf(known, chain)) {
      return { kind, detail: `signed with the key ${kid} after it was retired ${key.retired_at}` };
    }
    if (known === undefined && madeAt >= key.retired_at) {
      return { kind, detail: `made ${madeAt} with the key ${kid}, retired ${key.retired_at}` };
    }
  }
  if (key.stolen_since === undefined) return undefined;
  const proven = place === undefined ? 0 : sizeOf(key.proven?.[context] ?? {}, chain);
  if (at <= proven) return undefined;
  return {
    kind: 'unproven',
    detail: `only its signer says that it was made before the key ${kid} was stolen ${key.stolen_since}`,
  };
}

function sizeOf(heads: Heads, chain: string): number {
  return Object.hasOwn(heads, chain) ? (heads[chain]?.size ?? 0) : 0;
}
