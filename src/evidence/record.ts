import { createHash } from 'node:crypto';
import {
  type Envelope,
  isObject,
  type NamedKey,
  parseEnvelope,
  serializeEnvelope,
  signEnvelope,
  signersOf,
} from '../platform/signing/dsse.js';
import { isInstant } from '../platform/signing/key-set.js';
import type { SigningKey } from '../platform/signing/signing-key.js';

export const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = /^urn:nestctl:evidence:([a-z0-9-]+):v1$/;

/** Chains and types are named alike: letters of a to z, digits, dashes. */
export const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** What a record is about: a thing, and the SHA-256 of its bytes, hex. */
export interface Subject {
  readonly name: string;
  readonly sha256: string;
}

/** What an evidence record says. */
export interface EvidenceRecord {
  readonly chain: string;
  /** 1, 2, 3 … within the chain. */
  readonly number: number;
  /** SHA-256 of the bytes of the record before, hex; null for the first. */
  readonly previous: string | null;
  /** Such as `drill` or `erasure-certificate`: tells how to read the content. */
  readonly type: string;
  readonly subject: readonly Subject[];
  /** RFC 3339, UTC, milliseconds; never before that of the record before. */
  readonly made_at: string;
  readonly made_by: string;
  readonly context: string;
  readonly content: Readonly<Record<string, unknown>>;
}

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** The record as an in-toto statement in a signed envelope: the bytes that are kept, and hashed by the next. */
export function sealRecord(record: EvidenceRecord, signer: SigningKey): Buffer {
  const { type, subject, ...predicate } = record;
  const statement = {
    _type: STATEMENT,
    subject: subject.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: `urn:nestctl:evidence:${type}:v1`,
    predicate,
  };
  const payload = Buffer.from(JSON.stringify(statement));
  return Buffer.from(serializeEnvelope(signEnvelope(IN_TOTO, payload, signer)));
}

export type Opened =
  | { readonly record: EvidenceRecord; readonly kid: string }
  | { readonly fault: 'edited' | 'unknown_key'; readonly detail: string };

/**
 * Checks the bytes of one record: in every byte as they were signed, by a key of the set. Whether that key was
 * good then, and whether the record is in its place, only the chain can tell.
 */
export function openRecord(bytes: Buffer, keys: readonly NamedKey[]): Opened {
  const text = bytes.toString('utf8');
  const envelope = parseEnvelope(text);
  if (envelope === undefined) return { fault: 'edited', detail: 'it is not a signed envelope' };
  const record = readStatement(envelope);
  const [kid] = signersOf(envelope, keys);
  const hinted = envelope.signatures[0]?.keyid;
  if (kid === undefined) {
    return keys.some((key) => key.kid === hinted)
      ? { fault: 'edited', detail: 'its signature is not over these bytes' }
      : { fault: 'unknown_key', detail: `it names a key that is not in this key set: ${hinted}` };
  }
  if (record === undefined) return { fault: 'edited', detail: 'it is not an evidence record' };
  // The signature covers the payload alone; the hash chain and this cover the rest.
  const asWritten = serializeEnvelope(envelope);
  if (hinted !== kid || envelope.signatures.length !== 1 || !bytes.equals(Buffer.from(asWritten))) {
    return { fault: 'edited', detail: 'the envelope around the signed statement was altered' };
  }
  return { record, kid };
}

/** The record in an envelope, signed or not; undefined where it holds something else. */
export function readStatement({ payloadType, payload }: Envelope): EvidenceRecord | undefined {
  if (payloadType !== IN_TOTO) return;
  let statement: unknown;
  try {
    statement = JSON.parse(payload.toString('utf8'));
  } catch {
    return;
  }
  if (!isObject(statement) || statement._type !== STATEMENT || !Array.isArray(statement.subject)) return;
  const type = PREDICATE.exec(String(statement.predicateType))?.[1];
  const { predicate } = statement;
  if (type === undefined || !isObject(predicate)) return;
  const { chain, number, previous, made_at, made_by, context, content } = predicate;
  const subject = statement.subject.map(readSubject);
  if (
    typeof chain !== 'string' ||
    !NAME.test(chain) ||
    !Number.isSafeInteger(number) ||
    !(previous === null || typeof previous === 'string') ||
    !isInstant(made_at) ||
    typeof made_by !== 'string' ||
    typeof context !== 'string' ||
    !isObject(content) ||
    !subject.every((each) => each !== undefined)
  ) {
    return;
  }
  return { chain, number: number as number, previous, type, subject, made_at, made_by, context, content };
}

function readSubject(value: unknown): Subject | undefined {
  if (!isObject(value) || typeof value.name !== 'string' || !isObject(value.digest)) return;
  const { sha256 } = value.digest;
  return typeof sha256 === 'string' ? { name: value.name, sha256 } : undefined;
}
