import type { EvidencePlaces } from '../../platform/config/evidence-places.js';
import { NestctlError } from '../../platform/errors.js';
import { publishedKey } from '../../platform/signing/key-set.js';
import { loadLedgerKeys, rotateLedgerKeys } from '../../platform/signing/ledger-keys.js';
import { replacePrivateFile } from '../../platform/signing/private-file.js';
import {
  generateSigningKey,
  loadSigningKey,
  type SigningKey,
  signingKeyPem,
} from '../../platform/signing/signing-key.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import type { MadeKey } from './create-key.js';
import { headsNow } from './heads-now.js';
import {
  activeKey,
  type KnownKey,
  loadKeySet,
  madeBy,
  retiredBy,
  saveKeySet,
  type Why,
} from './key-set-file.js';
import { recordKeyChanges } from './record-key-changes.js';
import { nextKeyFile, openSigner, settleRotation } from './signer.js';

/** The key that would be rotated. Throws `no_signing_key`, `no_ledger_key`. */
export async function planRotation(
  { places, context }: Evidence,
  purpose: 'signing' | 'ledger',
): Promise<{ readonly context: string; readonly kid: string }> {
  const key =
    purpose === 'ledger'
      ? (await loadLedgerKeys(places.ledgerKeys)).at(-1)
      : activeKey((await loadKeySet(places)).keys);
  if (key === undefined) throw noKey();
  return { context, kid: key.kid };
}

export interface RotatedKey extends MadeKey {
  readonly retired: string;
}

/**
 * Retires the signing key and puts the next in its place: a new one, or where a command holds the key, the one that
 * it prints by now. Interrupted, it is done or not begun. Throws `no_signing_key`, `key_unchanged`.
 */
export async function rotateSigningKey(evidence: Evidence, why: Why): Promise<RotatedKey> {
  return await lockEvidence(evidence, async () => {
    const { places, operator, context } = evidence;
    await settleRotation(places);
    const { keys } = await loadKeySet(places);
    const active = activeKey(keys);
    if (active === undefined) throw noKey();
    const next = 'file' in places.key ? await nextInFile(places) : await nextFromCommand(evidence, keys);
    const now = new Date();
    const heads = { [context]: await headsNow(evidence) };
    await saveKeySet(places, [
      ...keys.map((key) =>
        key === active ? { ...key, retired_at: now.toISOString(), heads, ...retiredBy(operator, why) } : key,
      ),
      { ...publishedKey(next.key, now), ...madeBy(operator, why) },
    ]);
    await settleRotation(places);
    return { kid: next.kid, retired: active.kid, recorded: await recordKeyChanges(evidence) };
  });
}

/** Adds an HMAC key, which makes new entries; the older ones stay to recognise theirs. */
export async function rotateLedgerKey(evidence: Evidence, why: Why): Promise<MadeKey> {
  return await lockEvidence(evidence, async () => {
    const { places, operator } = evidence;
    const keys = await rotateLedgerKeys(places.ledgerKeys, madeBy(operator, why));
    return { kid: keys.at(-1)?.kid ?? '', recorded: await recordKeyChanges(evidence) };
  });
}

/** Only who holds the private key rotates it; one that is lost is retired. */
async function nextInFile(places: EvidencePlaces): Promise<SigningKey> {
  await openSigner(places);
  const next = generateSigningKey();
  if ('file' in places.key) await replacePrivateFile(nextKeyFile(places.key.file), signingKeyPem(next));
  return next;
}

async function nextFromCommand({ places }: Evidence, keys: readonly KnownKey[]): Promise<SigningKey> {
  const printed = await loadSigningKey(places.key);
  if (printed === undefined || keys.some(({ kid }) => kid === printed.kid)) {
    throw new NestctlError('The command still prints a key that is in the key set.', {
      kind: 'conflict',
      code: 'key_unchanged',
      hint: 'Put a new Ed25519 key (PKCS #8 PEM) where the command reads it, then run this again.',
    });
  }
  return printed;
}

function noKey(): NestctlError {
  return new NestctlError('There is no signing key to rotate.', {
    kind: 'conflict',
    code: 'no_signing_key',
    next: 'nestctl evidence key create',
  });
}
