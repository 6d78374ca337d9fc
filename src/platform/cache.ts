import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from './data-folder.js';
import type { ConnectionTarget } from './database/target.js';
import { readPrivateFile, replacePrivateFile } from './signing/private-file.js';

/**
 * A kind of answer that may be kept on this machine. Nothing personal ever is: all text in it must look like
 * `text` says, in which no name, address or id fits.
 */
export interface Cacheable {
  readonly name: string;
  /** Milliseconds. */
  readonly ttl: number;
  readonly text: RegExp;
}

/** All there is; what is not in this list is not kept. */
export const CACHEABLE = {
  /** Counts of the whole product by week. */
  activity: {
    name: 'activity',
    ttl: 15 * 60_000,
    text: /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?Z)?$/,
  },
} as const satisfies Record<string, Cacheable>;

export interface CacheKey {
  readonly context: string;
  readonly target: ConnectionTarget;
  /** The duty asked for; undefined for the one that is chosen by itself. */
  readonly duty: string | undefined;
  /** What was asked. */
  readonly question: readonly (string | null)[];
}

export interface Kept<T> {
  /** As JSON gives it back: times as text. */
  readonly value: T;
  /** Milliseconds; undefined where it was not kept but is new. */
  readonly age: number | undefined;
}

const FORMAT = 1;
const MOST_ENTRIES = 64;
const MOST_BYTES = 256 * 1024;

/**
 * An answer that was kept and is young enough, else a new one, which is kept. A cache that cannot be read or
 * written, is damaged, foreign or open to others changes nothing but the time it takes.
 */
export async function cached<T>(
  kind: Cacheable,
  key: CacheKey,
  options: { readonly refresh: boolean; readonly now?: number },
  compute: () => Promise<T>,
): Promise<Kept<T>> {
  const now = options.now ?? Date.now();
  const identity = identityOf(kind, key);
  const path = join(dataFolder(), 'cache', `${createHash('sha256').update(identity).digest('hex')}.json`);
  if (!options.refresh) {
    const there = await read<T>(path, identity, kind, now).catch(() => undefined);
    if (there !== undefined) return there;
  }
  const value = JSON.parse(JSON.stringify(await compute())) as T;
  if (impersonal(value, kind.text)) {
    await keep(path, JSON.stringify({ format: FORMAT, identity, made_at: now, value })).catch(
      () => undefined,
    );
  }
  return { value, age: undefined };
}

/** Forgets all that is kept: something has changed what the answers were made from. */
export async function forgetCached(): Promise<void> {
  await rm(join(dataFolder(), 'cache'), { recursive: true, force: true }).catch(() => undefined);
}

function identityOf(kind: Cacheable, { context, target, duty, question }: CacheKey): string {
  const { host, port, database, user } = target;
  return JSON.stringify([kind.name, context, host, port, database, user, duty ?? null, ...question]);
}

async function read<T>(
  path: string,
  identity: string,
  kind: Cacheable,
  now: number,
): Promise<Kept<T> | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined || text.length > MOST_BYTES) return undefined;
  const entry = JSON.parse(text) as { format: unknown; identity: unknown; made_at: unknown; value: T };
  const { format, made_at: madeAt, value } = entry;
  if (format !== FORMAT || entry.identity !== identity || typeof madeAt !== 'number') return undefined;
  const age = now - madeAt;
  // One from the future was made by another clock.
  if (!(age >= 0 && age < kind.ttl) || !impersonal(value, kind.text)) return undefined;
  return { value, age };
}

/** Whether all text within fits the pattern. The names of fields are ours. */
function impersonal(value: unknown, text: RegExp): boolean {
  if (typeof value === 'string') return text.test(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return true;
  if (typeof value !== 'object') return false;
  return Object.entries(value).every(
    ([name, inner]) => /^[a-z_0-9]{1,40}$/.test(name) && impersonal(inner, text),
  );
}

async function keep(path: string, content: string): Promise<void> {
  if (content.length > MOST_BYTES) return;
  await replacePrivateFile(path, content);
  const folder = join(path, '..');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  if (files.length <= MOST_ENTRIES) return;
  const aged = await Promise.all(
    files.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  aged.sort((a, b) => a.at - b.at);
  for (const { name } of aged.slice(0, files.length - MOST_ENTRIES))
    await rm(join(folder, name), { force: true });
}
