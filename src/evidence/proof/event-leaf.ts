import { ByteBuilder } from '../../platform/byte-builder.js';
import { isObject } from '../../platform/signing/dsse.js';

/** What stands in clear under a leaf, and the hashes of its parts, as sql/docs/audit-leaf.md says; binary is base64. */
export interface LeafFacts {
  readonly epoch: number;
  /** Integers of 8 bytes are text. */
  readonly xid: string;
  /** Microseconds since 2000-01-01 00:00:00 UTC. */
  readonly occurred_at: string;
  readonly operation: string;
  readonly table_name: string;
  readonly category: string;
  readonly session_login: string;
  readonly duty: string | null;
  readonly request_id: string | null;
  readonly id: string;
  /** Of part 1, 2, 3 and those that follow; null where the event has no such part. */
  readonly parts: readonly (string | null)[];
}

const HASH = /^[A-Za-z0-9+/]{43}=$/;

const input = new ByteBuilder();

/** The leaf hash that follows. */
export function leafOf(facts: LeafFacts): Buffer {
  const [actor = null, subject = null, purpose = null, ...named] = facts.parts;
  input.start().text('\0nestsync-audit-1');
  block(actor);
  block(purpose);
  input
    .int32(facts.epoch)
    .int64(facts.xid)
    .int64(facts.occurred_at)
    .netstring(facts.operation)
    .netstring(facts.table_name)
    .netstring(facts.category)
    .netstring(facts.session_login)
    .netstring(facts.duty)
    .netstring(facts.request_id)
    .int64(facts.id);
  block(subject);
  for (const part of named) block(part);
  return input.sha256();
}

const NO_PART = Buffer.alloc(32).toString('base64');
const block = (part: string | null) => input.text(part ?? NO_PART, 'base64');

/** What a part holds: a text, or a list of them; null is absent. */
export type Field = string | null | readonly string[];

/** SHA-256(salt ‖ fields) in base64: the hash of a part, as sql/docs/audit-leaf.md says. */
export function contentHash(salt: string, encoding: 'base64' | 'hex', fields: readonly Field[]): string {
  input.start().text(salt, encoding);
  for (const field of fields)
    input.netstring(typeof field === 'object' && field !== null ? field.map(listed).join('') : field);
  return input.sha256().toString('base64');
}

const listed = (text: string) => `${Buffer.byteLength(text)}:${text},`;

/** Reads what a proof says of its leaf; undefined where it is anything else. */
export function readFacts(value: unknown): LeafFacts | undefined {
  if (!isObject(value) || !Number.isInteger(value.epoch) || !Array.isArray(value.parts)) return undefined;
  const integers = [value.xid, value.occurred_at, value.id];
  if (!integers.every((one) => typeof one === 'string' && /^-?[0-9]{1,20}$/.test(one))) return undefined;
  const texts = [value.operation, value.table_name, value.category, value.session_login];
  if (!texts.every((one) => typeof one === 'string')) return undefined;
  if (![value.duty, value.request_id].every((one) => one === null || typeof one === 'string'))
    return undefined;
  if (value.parts.length < 3) return undefined;
  if (!value.parts.every((one) => one === null || (typeof one === 'string' && HASH.test(one))))
    return undefined;
  return value as unknown as LeafFacts;
}

/** When it happened, RFC 3339 in UTC, to the millisecond. */
export function timeOf({ occurred_at: at }: Pick<LeafFacts, 'occurred_at'>): string {
  const time = new Date(Date.UTC(2000, 0, 1) + Number(BigInt(at) / 1000n));
  return Number.isNaN(time.getTime()) ? `${at} µs` : time.toISOString();
}
