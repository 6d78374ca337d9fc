import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { NestctlError } from '../errors.js';
import { isObject, type NamedKey } from './dsse.js';

/** Where a chain ended: how many records, and the SHA-256 of the last one, hex. */
export interface Head {
  readonly size: number;
  readonly hash: string;
}

/** Heads by chain. */
export type Heads = Readonly<Record<string, Head>>;

/**
 * A public Ed25519 key as a JSON Web Key (RFC 8037) with what a verifier must know of its life. `kid` is its
 * thumbprint (RFC 7638). Times are RFC 3339 in UTC.
 */
export interface PublishedKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
  readonly valid_from: string;
  /** From here on it signs nothing any more; what it signed before stays valid. */
  readonly retired_at?: string;
  /** From here on somebody else may have signed with it. */
  readonly stolen_since?: string;
  /**
   * What the chains of each context held when it was retired. Times in a record are the signer's word; a place
   * in a chain is not: beyond these heads nothing of this key is valid.
   */
  readonly heads?: Readonly<Record<string, Heads>>;
  /**
   * For a stolen key: what a clock that is not its thief's says the chains of each context held before the theft.
   * Up to these heads its records are good; beyond, nothing but the signer says when they were made.
   */
  readonly proven?: Readonly<Record<string, Heads>> | undefined;
}

/** A JSON Web Key Set: the one thing a verifier has to get from somewhere it trusts. */
export interface KeySet {
  readonly keys: readonly PublishedKey[];
}

/** The RFC 7638 thumbprint of an Ed25519 public key, base64url. */
export function thumbprint(x: string): string {
  const required = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x });
  return createHash('sha256').update(required).digest('base64url');
}

/** A public or private Ed25519 key as it is published. */
export function publishedKey(key: KeyObject, validFrom: Date): PublishedKey {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    x,
    kid: thumbprint(x),
    alg: 'EdDSA',
    use: 'sig',
    valid_from: validFrom.toISOString(),
  };
}

/** What is published of a key, whatever else is known of it. */
export function publicPart(key: PublishedKey): PublishedKey {
  const { kty, crv, x, kid, alg, use, valid_from, retired_at, stolen_since, heads, proven } = key;
  const life = { retired_at, stolen_since, heads, proven };
  const told = Object.fromEntries(Object.entries(life).filter(([, value]) => value !== undefined));
  return { kty, crv, x, kid, alg, use, valid_from, ...told };
}

/**
 * What two people compare over another way than the one a key set came by: 128 bits of SHA-256 over all that a
 * verifier would believe because of it, in groups of four to be read aloud.
 */
export function fingerprint(keys: readonly PublishedKey[]): string {
  const told = keys.map(publicPart).sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const digest = createHash('sha256')
    .update(JSON.stringify(told.map(ordered)))
    .digest('hex');
  return digest.slice(0, 32).match(/.{4}/g)?.join('-') ?? '';
}

/** The same value with the names of every object in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, ordered(value[name])]),
  );
}

/** The keys of a set, ready to verify with. */
export function namedKeys({ keys }: KeySet): NamedKey[] {
  return keys.map(({ x, kid }) => ({
    kid,
    key: createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }),
  }));
}

/**
 * Reads a key set. Throws `key_set_invalid` for anything in it that is not as it must be: a verifier that skips
 * what it does not understand would trust too much.
 */
export function parseKeySet(text: string, from: string): KeySet {
  const problem = (what: string) =>
    new NestctlError(`${from} is not a key set: ${what}.`, { kind: 'failure', code: 'key_set_invalid' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem('it is not JSON');
  }
  if (!isObject(value) || !Array.isArray(value.keys)) throw problem('it has no list of keys');
  const kids = new Set<string>();
  value.keys.forEach((key: unknown, at) => {
    const wrong = problemOf(key);
    if (wrong !== undefined) throw problem(`key ${at + 1}: ${wrong}`);
    kids.add((key as PublishedKey).kid);
  });
  if (kids.size !== value.keys.length) throw problem('a key is in it twice');
  return value as unknown as KeySet;
}

function problemOf(key: unknown): string | undefined {
  if (!isObject(key) || key.kty !== 'OKP' || key.crv !== 'Ed25519') return 'it is not an Ed25519 key';
  if ('d' in key) return 'it holds a private key';
  if (typeof key.x !== 'string' || Buffer.from(key.x, 'base64url').length !== 32) return 'x is not 32 bytes';
  if (key.kid !== thumbprint(key.x)) return 'kid is not its thumbprint';
  if (!isInstant(key.valid_from)) return 'valid_from is not a time';
  for (const name of ['retired_at', 'stolen_since']) {
    if (key[name] !== undefined && !isInstant(key[name])) return `${name} is not a time`;
  }
  for (const name of ['heads', 'proven']) {
    const heads = key[name];
    if (heads === undefined) continue;
    if (!isObject(heads)) return `${name} is not an object`;
    if (!Object.values(heads).every(areHeads)) return `${name} are not sizes and hashes`;
  }
  return;
}

const CHAIN = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export function areHeads(value: unknown): value is Heads {
  return isObject(value) && Object.entries(value).every(([chain, head]) => CHAIN.test(chain) && isHead(head));
}

function isHead(value: unknown): value is Head {
  if (!isObject(value)) return false;
  const { size, hash } = value;
  return Number.isSafeInteger(size) && (size as number) > 0 && /^[0-9a-f]{64}$/.test(String(hash));
}

export function isInstant(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}
