/** The events of a bundle as sql/docs/audit-bundle.md gives them, and the leaf that follows from each. */
import { isObject } from '../../platform/signing/dsse.js';
import { contentHash, type Field, type LeafFacts, leafOf, readFacts } from './event-leaf.js';

/** A part of an event: absent, disclosed with its salt and fields, left out by who exported it, or erased. */
export type BundlePart =
  | null
  | ({ readonly salt: string } & Readonly<Record<string, Field>>)
  | { readonly hash: string; readonly withheld: true }
  | { readonly hash: string; readonly erased: string };

/** One line of a bundle: an event, or of one whose row is not kept any more the leaf alone. */
export type BundleLine =
  | { readonly index: number; readonly event: ClearFacts; readonly parts: readonly BundlePart[] }
  | { readonly index: number; readonly leaf: string };

/** What stands in clear under the leaf. */
export type ClearFacts = Omit<LeafFacts, 'parts'>;

const CLEAR = [
  'epoch',
  'xid',
  'occurred_at',
  'operation',
  'table_name',
  'category',
  'session_login',
  'duty',
  'request_id',
  'id',
] as const;
const SUBJECT = [
  'family_id',
  'subject_user',
  'record_id',
  'record_key',
  'changed_columns',
  'old_row',
  'new_row',
];
const NAMED = ['column', 'old', 'new'];
const HASH = /^[A-Za-z0-9+/]{43}=$/;
const SALT = /^[A-Za-z0-9+/]{22}==$/;

/** The fields of a part, the first one being part 1, in the order in which they are hashed. */
export function fieldsOf(part: number): readonly string[] {
  return [['app_user'], SUBJECT, ['reason', 'ticket']][part - 1] ?? NAMED;
}

/** The one way to write a line, without its line feed. */
export function formatLine(line: BundleLine): string {
  const { index } = line;
  if ('leaf' in line) return JSON.stringify({ index, leaf: line.leaf });
  const event = Object.fromEntries(CLEAR.map((name) => [name, line.event[name]]));
  return JSON.stringify({ index, event, parts: line.parts.map((part, at) => inOrder(part, at + 1)) });
}

function inOrder(part: BundlePart, number: number): BundlePart {
  if (part === null) return null;
  if ('withheld' in part) return { hash: part.hash as string, withheld: true };
  if ('erased' in part) return { hash: part.hash as string, erased: part.erased as string };
  const fields = fieldsOf(number).map((name) => [name, (part as Record<string, Field>)[name] ?? null]);
  return Object.fromEntries([['salt', part.salt], ...fields]) as BundlePart;
}

/** Reads a line; undefined where it is anything else, or not written the one way. */
export function parseLine(text: string): BundleLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !Number.isSafeInteger(value.index) || (value.index as number) < 0) return undefined;
  const known = 'leaf' in value ? isHash(value.leaf) : isEvent(value);
  if (!known) return undefined;
  const line = value as unknown as BundleLine;
  return formatLine(line) === text ? line : undefined;
}

function isEvent({ event, parts }: Record<string, unknown>): boolean {
  if (!isObject(event) || !Array.isArray(parts) || parts.length < 3) return false;
  return readFacts({ ...event, parts: [null, null, null] }) !== undefined && parts.every(isPart);
}

function isPart(part: unknown, at: number): part is BundlePart {
  if (part === null) return true;
  if (!isObject(part)) return false;
  if ('hash' in part) return isHash(part.hash) && (part.withheld === true || typeof part.erased === 'string');
  if (typeof part.salt !== 'string' || !SALT.test(part.salt)) return false;
  const fields = fieldsOf(at + 1).map((name) => part[name]);
  // What has no content is no part.
  return fields.every(isField) && (at >= 3 || fields.some((field) => field !== null));
}

function isField(value: unknown): value is Field {
  if (Array.isArray(value)) return value.length > 0 && value.every((one) => typeof one === 'string');
  return value === null || typeof value === 'string';
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value);
}

/** The hash of a part, base64; null for an absent one. */
export function partHash(part: BundlePart, number: number): string | null {
  if (part === null) return null;
  if ('hash' in part) return part.hash as string;
  const fields = fieldsOf(number).map((name) => (part as Record<string, Field>)[name] ?? null);
  return contentHash(part.salt, 'base64', fields);
}

/** The leaf that follows from a line. */
export function lineLeaf(line: BundleLine): Buffer {
  if ('leaf' in line) return Buffer.from(line.leaf, 'base64');
  return leafOf({ ...line.event, parts: line.parts.map((part, at) => partHash(part, at + 1)) });
}
