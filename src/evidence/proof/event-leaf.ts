import { hash } from 'node:crypto';
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

/** The leaf hash that follows. */
export function leafOf(facts: LeafFacts): Buffer {
  const [actor = null, subject = null, purpose = null, ...named] = facts.parts;
  const clear = [
    facts.operation,
    facts.table_name,
    facts.category,
    facts.session_login,
    facts.duty,
    facts.request_id,
  ];
  const bytes = Buffer.concat([
    Buffer.of(0),
    Buffer.from('nestsync-audit-1'),
    block(actor),
    block(purpose),
    int32(facts.epoch),
    int64(facts.xid),
    int64(facts.occurred_at),
    ...clear.map(netstring),
    int64(facts.id),
    block(subject),
    ...named.map(block),
  ]);
  return hash('sha256', bytes, 'buffer');
}

const block = (part: string | null) => (part === null ? Buffer.alloc(32) : Buffer.from(part, 'base64'));

function netstring(text: string | null): Buffer {
  if (text === null) return Buffer.from(':,');
  return Buffer.from(`${Buffer.byteLength(text)}:${text},`);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
}

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
