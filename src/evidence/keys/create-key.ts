import { NestctlError } from '../../platform/errors.js';
import { publishedKey } from '../../platform/signing/key-set.js';
import { createLedgerKeys } from '../../platform/signing/ledger-keys.js';
import { createPrivateFile } from '../../platform/signing/private-file.js';
import { generateSigningKey, loadSigningKey, signingKeyPem } from '../../platform/signing/signing-key.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import { activeKey, loadKeySet, saveKeySet } from './key-set-file.js';
import { recordKeyChanges } from './record-key-changes.js';
import { settleRotation } from './signer.js';

export interface MadeKey {
  readonly kid: string;
  /** Whether the change is in the chain of key changes yet. */
  readonly recorded: boolean;
}

/**
 * Makes the signing key of a context, or takes one that lies in its place (from a command, or where this was
 * interrupted) into the key set. Throws `key_exists` where the context has one.
 */
export async function createSigningKey(evidence: Evidence, because?: string): Promise<MadeKey> {
  return await lockEvidence(evidence, async () => {
    const { places, operator } = evidence;
    await settleRotation(places);
    const { keys } = await loadKeySet(places);
    const found = await loadSigningKey(places.key);
    const active = activeKey(keys);
    if (active !== undefined) throw exists(active.kid, found?.kid);
    if (found !== undefined && keys.some(({ kid }) => kid === found.kid)) throw retired(found.kid);
    const key = found ?? generateSigningKey();
    if (found === undefined && 'file' in places.key) {
      await createPrivateFile(places.key.file, signingKeyPem(key));
    }
    await saveKeySet(places, [
      ...keys,
      {
        ...publishedKey(key.key, new Date()),
        made_by: operator,
        ...(because === undefined ? {} : { made_because: because }),
      },
    ]);
    return { kid: key.kid, recorded: await recordKeyChanges(evidence) };
  });
}

/** Makes the HMAC key of the ledgers. Throws `key_exists`. */
export async function createLedgerKey(evidence: Evidence): Promise<MadeKey> {
  return await lockEvidence(evidence, async () => {
    const [key] = await createLedgerKeys(evidence.places.ledgerKeys);
    return { kid: key.kid, recorded: false };
  });
}

function exists(active: string, found: string | undefined): NestctlError {
  if (active === found) {
    return new NestctlError(`This context has a signing key: ${active}.`, {
      kind: 'conflict',
      code: 'key_exists',
      hint: 'A key is never overwritten; a rotation retires it and makes the next.',
      next: "nestctl evidence key rotate --reason '…'",
    });
  }
  return new NestctlError(
    `The key set names ${active} as the signing key, but its private key is not here.`,
    {
      kind: 'conflict',
      code: 'key_lost',
      hint: 'Put its private key back, or retire it as lost.',
      next: `nestctl evidence key retire ${active} --reason '…'`,
    },
  );
}

function retired(kid: string): NestctlError {
  return new NestctlError(`The private key at hand is that of ${kid}, which is retired.`, {
    kind: 'conflict',
    code: 'key_retired',
    hint: 'Remove it, or let the command print another.',
  });
}
