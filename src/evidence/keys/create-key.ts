import { NestctlError } from '../../platform/errors.js';
import { publishedKey } from '../../platform/signing/key-set.js';
import { createLedgerKeys, findLedgerKeys } from '../../platform/signing/ledger-keys.js';
import { createPrivateFile, keyExists } from '../../platform/signing/private-file.js';
import { generateSigningKey, loadSigningKey, signingKeyPem } from '../../platform/signing/signing-key.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import { activeKey, loadKeySet, madeBy, saveKeySet, type Why } from './key-set-file.js';
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
export async function createSigningKey(evidence: Evidence, why: Why = {}): Promise<MadeKey> {
  return await lockEvidence(evidence, async () => {
    const { places, operator } = evidence;
    await settleRotation(places);
    const { keys, found } = await keysToExtend(evidence);
    const key = found ?? generateSigningKey();
    if (found === undefined && 'file' in places.key) {
      await createPrivateFile(places.key.file, signingKeyPem(key));
    }
    await saveKeySet(places, [...keys, { ...publishedKey(key.key, new Date()), ...madeBy(operator, why) }]);
    return { kid: key.kid, recorded: await recordKeyChanges(evidence) };
  });
}

/** Makes the HMAC key of the ledgers. Throws `key_exists`. */
export async function createLedgerKey(evidence: Evidence, why: Why = {}): Promise<MadeKey> {
  return await lockEvidence(evidence, async () => {
    const { places, operator } = evidence;
    const [key] = await createLedgerKeys(places.ledgerKeys, madeBy(operator, why));
    return { kid: key.kid, recorded: await recordKeyChanges(evidence) };
  });
}

/** What would be made, and where. Throws what making it would. */
export async function planKey(
  evidence: Evidence,
  purpose: 'signing' | 'ledger',
): Promise<{ readonly context: string; readonly for: string; readonly kept: string }> {
  const { places, context } = evidence;
  if (purpose === 'ledger') {
    const there = await findLedgerKeys(places.ledgerKeys);
    if (there !== undefined) throw keyExists(places.ledgerKeys);
    return { context, for: purpose, kept: places.ledgerKeys };
  }
  await keysToExtend(evidence);
  const { key } = places;
  return { context, for: purpose, kept: 'file' in key ? key.file : `where ${key.command[0]} finds it` };
}

/** The key set, and the private key at hand, where a signing key can be made. */
async function keysToExtend({ places }: Evidence) {
  const { keys } = await loadKeySet(places);
  const found = await loadSigningKey(places.key);
  const active = activeKey(keys);
  if (active !== undefined) throw exists(active.kid, found?.kid);
  if (found !== undefined && keys.some(({ kid }) => kid === found.kid)) throw retired(found.kid);
  return { keys, found };
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
