import { NestctlError } from '../platform/errors.js';
import type { Head, Heads, KeySet } from '../platform/signing/key-set.js';
import { verifyingKeys } from './keys/imported-keys.js';
import { lockEvidence } from './lock-evidence.js';
import type { Evidence } from './open-evidence.js';
import { rememberHeads, seenHeads } from './seen-heads.js';
import type { ChainReport } from './verify-chain.js';
import { verifyRecords } from './verify-records.js';

/**
 * Verifies the chains of a context with its key set and all heads this console has seen; remembers the heads of
 * chains that verify. Throws `no_chain` for a name that neither exists nor was ever seen.
 */
export async function verifyEvidence(
  evidence: Evidence,
  options: {
    readonly only?: readonly string[] | undefined;
    /** Heads noted elsewhere. */
    readonly heads?: readonly Heads[];
    /** Verify with these keys in place of the context's own. */
    readonly keySet?: KeySet | undefined;
  } = {},
): Promise<ChainReport[]> {
  const keySet = options.keySet ?? (await verifyingKeys(evidence.places));
  const reports = await lockEvidence(evidence, async () => {
    const known = [await seenHeads(evidence), ...(options.heads ?? [])];
    const found = await verifyRecords(evidence.store, { keySet, known, only: options.only });
    const sound = found.filter(({ faults }) => faults.length === 0);
    await rememberHeads(
      evidence,
      Object.fromEntries(sound.flatMap(({ chain, head }): [string, Head][] => (head ? [[chain, head]] : []))),
    );
    return found;
  });
  const missing = options.only?.find((name) => !reports.some(({ chain }) => chain === name));
  if (missing !== undefined) {
    throw new NestctlError(`There is no chain "${missing}".`, {
      kind: 'not_found',
      code: 'no_chain',
      next: 'nestctl evidence list',
    });
  }
  return reports;
}
