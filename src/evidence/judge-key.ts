import type { KeySet } from '../platform/signing/key-set.js';
import type { FaultKind } from './fault.js';
import type { EvidenceRecord } from './record.js';

/**
 * Whether the key that signed a record was good for it; undefined where it was. `place` is where the record stands
 * in its chain, undefined for one that is looked at alone.
 */
export function judgeKey(
  kid: string,
  record: EvidenceRecord,
  place: number | undefined,
  { keys }: KeySet,
): { readonly kind: FaultKind; readonly detail: string } | undefined {
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return { kind: 'unknown_key', detail: `the key ${kid} is not in the key set` };
  const { made_at: madeAt, chain, context } = record;
  if (madeAt < key.valid_from) {
    return { kind: 'early_key', detail: `made ${madeAt}, before its key ${kid} was valid` };
  }
  if (key.stolen_since !== undefined && madeAt >= key.stolen_since) {
    return {
      kind: 'stolen_key',
      detail: `made ${madeAt} with the key ${kid}, reported stolen since ${key.stolen_since}`,
    };
  }
  if (key.retired_at === undefined) return undefined;
  const known = key.heads?.[context];
  const kind = key.stolen_since === undefined ? 'retired_key' : 'stolen_key';
  if (known === undefined) {
    if (madeAt < key.retired_at) return undefined;
    return { kind, detail: `made ${madeAt} with the key ${kid}, retired ${key.retired_at}` };
  }
  if ((place ?? record.number) <= (Object.hasOwn(known, chain) ? (known[chain]?.size ?? 0) : 0))
    return undefined;
  return { kind, detail: `signed with the key ${kid} after it was retired ${key.retired_at}` };
}
