import { createHmac, randomBytes } from 'node:crypto';
import { NestctlError } from '../errors.js';
import { isObject } from './dsse.js';
import { createPrivateFile, readPrivateFile, replacePrivateFile } from './private-file.js';

/** An HMAC key of a ledger. */
export interface LedgerKey extends Made {
  readonly kid: string;
  readonly made_at: string;
  readonly secret: Buffer;
}

/** Who made a key, and why. */
export interface Made {
  readonly made_by?: string | undefined;
  readonly made_because?: string | undefined;
  readonly made_ticket?: string | undefined;
}

/**
 * The keys of a ledger, oldest first. The last one makes new entries; the others stay for ever, since an entry can
 * only be recognised with the key that made it.
 */
export type LedgerKeys = readonly [LedgerKey, ...LedgerKey[]];

/** HMAC-SHA-256 of a text under a key, with the purpose in it so that one ledger's entries never match another's. */
export function ledgerMac(key: LedgerKey, purpose: string, text: string): string {
  const part = (value: string) => `${Buffer.byteLength(value)}:${value},`;
  return createHmac('sha256', key.secret)
    .update(part(purpose) + part(text))
    .digest('hex');
}

/** Makes the file with its first key. Throws `key_exists`. */
export async function createLedgerKeys(path: string, made: Made = {}): Promise<LedgerKeys> {
  const keys: LedgerKeys = [newKey(made)];
  await createPrivateFile(path, written(keys));
  return keys;
}

/** Adds a key, which from now on makes the entries. */
export async function rotateLedgerKeys(path: string, made: Made = {}): Promise<LedgerKeys> {
  const keys: LedgerKeys = [...(await loadLedgerKeys(path)), newKey(made)];
  await replacePrivateFile(path, written(keys));
  return keys;
}

/** Throws `no_ledger_key`, `key_open`, `key_invalid`. */
export async function loadLedgerKeys(path: string): Promise<LedgerKeys> {
  const keys = await findLedgerKeys(path);
  if (keys === undefined) {
    throw new NestctlError(`There is no ledger key: ${path} does not exist.`, {
      kind: 'not_found',
      code: 'no_ledger_key',
      next: 'nestctl evidence key create --for ledger',
    });
  }
  return keys;
}

/** As loadLedgerKeys; undefined where none was made yet. */
export async function findLedgerKeys(path: string): Promise<LedgerKeys | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  const keys = parse(text);
  if (keys === undefined) {
    throw new NestctlError(`There are no ledger keys in ${path}.`, { kind: 'failure', code: 'key_invalid' });
  }
  return keys;
}

function newKey(made: Made): LedgerKey {
  const secret = randomBytes(32);
  return { kid: kidOf(secret), made_at: new Date().toISOString(), ...made, secret };
}

/** Names a key without telling anything of it. */
function kidOf(secret: Buffer): string {
  return createHmac('sha256', secret).update('nestctl ledger key id').digest('base64url').slice(0, 22);
}

function written(keys: LedgerKeys): string {
  const jwks = keys.map(({ secret, ...told }) => ({
    kty: 'oct',
    alg: 'HS256',
    ...told,
    k: secret.toString('base64url'),
  }));
  return `${JSON.stringify({ keys: jwks }, null, 2)}\n`;
}

function parse(text: string): LedgerKeys | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !Array.isArray(value.keys)) return undefined;
  const keys = value.keys.map(parseKey);
  const [first, ...rest] = keys.filter((key) => key !== undefined);
  return first === undefined || rest.length + 1 !== keys.length ? undefined : [first, ...rest];
}

function parseKey(value: unknown): LedgerKey | undefined {
  if (!isObject(value) || value.kty !== 'oct' || typeof value.k !== 'string') return undefined;
  const secret = Buffer.from(value.k, 'base64url');
  if (secret.length !== 32 || value.kid !== kidOf(secret) || typeof value.made_at !== 'string')
    return undefined;
  const told = (name: keyof Made) => (typeof value[name] === 'string' ? { [name]: value[name] } : {});
  return {
    kid: value.kid,
    made_at: value.made_at,
    ...told('made_by'),
    ...told('made_because'),
    ...told('made_ticket'),
    secret,
  };
}
