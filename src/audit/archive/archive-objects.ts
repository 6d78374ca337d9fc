import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Carrier } from '../../evidence/index.js';
import { NestctlError } from '../../platform/errors.js';
import { lockMissing, type ObjectStore } from '../../platform/object-store/index.js';
import type { Month } from './month.js';

export type ObjectKind = 'manifest' | 'leaves' | 'skeleton' | 'personal';

/** An object of an archive, as the database keeps it. */
export interface ArchiveObject {
  readonly kind: ObjectKind;
  readonly number: number;
  readonly key: string;
  readonly version: string | null;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly events: number;
  readonly first_at: string | null;
  readonly last_at: string | null;
}

/** Beside the evidence of the context, whose prefix is `evidence/CONTEXT/`. */
export function folderOf({ prefix }: Pick<Carrier, 'prefix'>, month: Month, archive: string): string {
  return `${prefix.replace(/^evidence\//, 'audit/')}archive/${month.category}-${month.month.slice(0, 7)}-${archive}/`;
}

export const personalFolder = (folder: string) => `${folder}personal/`;

export function skeletonKey(folder: string, number: number): string {
  return `${folder}skeleton/${String(number).padStart(6, '0')}.ndjson.gz`;
}

/** Named after its bytes: what replaces it is another object, and all versions of the one before can go. */
export function personalKey(folder: string, number: number, sha256: string): string {
  return `${personalFolder(folder)}${String(number).padStart(6, '0')}-${sha256.slice(0, 16)}.ndjson.gz`;
}

export const pack = promisify(gzip) as (bytes: Buffer) => Promise<Buffer>;
export const unpack = promisify(gunzip) as (bytes: Buffer) => Promise<Buffer>;

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Throws `lock_missing`. */
export async function requireLocks({ store, place }: Carrier): Promise<void> {
  if ((await store.takesLocks()) === false) throw lockMissing(`An archive at ${place}`, 'Nothing was sent.');
}

/**
 * Stores bytes under a key, unless the very same lie there from an earlier try: then they are only read back. With a
 * time they are locked until then.
 */
export async function storeOnce(
  store: ObjectStore,
  key: string,
  bytes: Buffer,
  contentType: string,
  retainUntil?: Date,
): Promise<Pick<ArchiveObject, 'key' | 'version' | 'size' | 'sha256'>> {
  const expected = { size: bytes.length, sha256: sha256(bytes) };
  const there = await store.head(key);
  if (there?.sha256 === expected.sha256 && there.size === expected.size) {
    await store.verify(key, expected, there.version ?? undefined);
    if (retainUntil !== undefined) await store.retain(key, retainUntil, there.version ?? undefined);
    return { key, version: there.version, ...expected };
  }
  const sent = await store.put(key, bytes, { contentType, ...(retainUntil && { retainUntil }) });
  return { key, version: sent.version, ...expected };
}

/** The bytes of an object, which must be those that were recorded. Throws `archive_damaged`. */
export async function fetchObject(
  store: ObjectStore,
  { key, version, sha256: expected }: Pick<ArchiveObject, 'key' | 'version' | 'sha256'>,
): Promise<Buffer> {
  const bytes = await buffer(store.get(key, version === null ? {} : { version })).catch((error: unknown) => {
    if (error instanceof NestctlError && error.code === 'object_unknown')
      throw damaged(`${key} is not in the store any more.`, 'Nothing of its archive was answered with.');
    throw error;
  });
  if (sha256(bytes) === expected) return bytes;
  throw damaged(
    `${key} is not what was archived.`,
    'Its bytes are not those that were signed for, and nothing of them was believed.',
  );
}

/** An object that was changed or taken away is tampering. */
export function damaged(what: string, hint: string): NestctlError {
  return new NestctlError(what, {
    kind: 'finding',
    code: 'archive_damaged',
    hint: `${hint} The tree in the database still has every leaf of the month: verify it, then look in the store's own log for who wrote there.`,
    next: 'nestctl audit verify',
  });
}

/** Lines of JSON in a packed object. */
export async function linesOf<T>(bytes: Buffer): Promise<T[]> {
  const text = (await unpack(bytes)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/**
 * Destroys every version of every personal object that is not one of these: what an erasure replaced, and what a try
 * that was cut off left. Returns how many versions there were.
 */
export async function sweepPersonal(
  store: ObjectStore,
  folder: string,
  current: ReadonlySet<string>,
): Promise<number> {
  const stale = new Set<string>();
  const old: { key: string; id: string }[] = [];
  let versions = 0;
  const newest = new Map<string, string>();
  for await (const { key, id, latest, marker } of store.versions(personalFolder(folder))) {
    if (!current.has(key)) stale.add(key);
    else if (latest && !marker) newest.set(key, id);
    else old.push({ key, id });
  }
  for (const key of stale) versions += await store.removeAll(key);
  // Equal bytes twice under one key are no loss, but one version of them is enough.
  for (const { key, id } of old) {
    if (newest.has(key)) await store.removeVersion(key, id);
  }
  return versions;
}
