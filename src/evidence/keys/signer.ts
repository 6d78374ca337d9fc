import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EvidencePlaces } from '../../platform/config/evidence-places.js';
import { NestctlError } from '../../platform/errors.js';
import { syncFolder } from '../../platform/private-folder.js';
import { removeDrafts } from '../../platform/signing/private-file.js';
import { loadSigningKey, type SigningKey } from '../../platform/signing/signing-key.js';
import { loadKeySet } from './key-set-file.js';

export interface Signer extends SigningKey {
  readonly validFrom: string;
}

/**
 * The key that signs now. Only while the evidence is locked. Throws `no_signing_key` where there is none,
 * `key_not_enrolled` and `key_retired` where the private key at hand is not the active one of the key set.
 */
export async function openSigner(places: EvidencePlaces): Promise<Signer> {
  await settleRotation(places);
  const signer = await loadSigningKey(places.key);
  if (signer === undefined) {
    throw new NestctlError('There is no signing key.', {
      kind: 'conflict',
      code: 'no_signing_key',
      hint: 'Evidence is signed: a key is made once for each context.',
      next: 'nestctl evidence key create',
    });
  }
  const known = (await loadKeySet(places)).keys.find(({ kid }) => kid === signer.kid);
  if (known === undefined) {
    throw new NestctlError(`The signing key ${signer.kid} is not in the key set of this context.`, {
      kind: 'conflict',
      code: 'key_not_enrolled',
      next: 'nestctl evidence key create',
    });
  }
  if (known.retired_at !== undefined) {
    throw new NestctlError(`The signing key ${signer.kid} is retired.`, {
      kind: 'conflict',
      code: 'key_retired',
      next: 'nestctl evidence key create',
    });
  }
  return { ...signer, validFrom: known.valid_from };
}

/** Where the next key lies between being made and being put in place. */
export const nextKeyFile = (file: string) => `${file}.next`;

/**
 * Ends a rotation that was interrupted: once the key set names the next key it is put in place, and before that
 * it never was one.
 */
export async function settleRotation(places: EvidencePlaces): Promise<void> {
  if (!('file' in places.key)) return;
  const next = nextKeyFile(places.key.file);
  for (const file of [places.key.file, next]) await removeDrafts(file);
  const key = await loadSigningKey({ file: next });
  if (key === undefined) return;
  const { keys } = await loadKeySet(places);
  const wanted = keys.some(({ kid, retired_at }) => kid === key.kid && retired_at === undefined);
  await (wanted ? rename(next, places.key.file) : rm(next, { force: true }));
  await syncFolder(dirname(next));
}
