import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BUNDLE,
  type BundleHeader,
  type Evidence,
  formatHeader,
  lockEvidence,
  namedKeys,
  openSigner,
  signEnd,
  verifyingKeys,
  type Withheld,
} from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { fileExists } from '../write-proof.js';
import { type ProvenFamily, proveFamily } from './prove-family.js';
import { readHistory } from './read-history.js';

export interface BundleWish {
  /** Its id. */
  readonly family: string;
  /** A new file, or a folder for it. */
  readonly path: string;
  readonly withhold?: readonly Withheld[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((events: number, total: number) => void) | undefined;
}

export interface WrittenBundle {
  readonly family: string;
  readonly file: string;
  readonly events: number;
  /** Leaves of the log, among which they are all of the family's. */
  readonly size: number;
  readonly origin: string;
  /** When the head was signed under which the history is complete. */
  readonly complete_until: string;
  readonly withheld: readonly Withheld[];
  /** Events of which only the leaf is kept. */
  readonly leaf_only: number;
}

/** How often a head is waited for while somebody else seals. */
const TRIES = 3;

/**
 * Writes all that the sealed log holds of a family, with the proof that it is all, as sql/docs/audit-bundle.md says.
 * Memory does not grow with it. Throws `not_signed`, `event_altered`, `file_exists` and what `openSigner` does.
 */
export async function exportBundle(
  session: Session,
  evidence: Evidence,
  wish: BundleWish,
): Promise<WrittenBundle> {
  const keys = namedKeys(await verifyingKeys(evidence.places));
  // Before hours of reading.
  await lockEvidence(evidence, () => openSigner(evidence.places));
  for (let tries = 1; ; tries += 1) {
    const written = await session.transaction(
      async () => {
        const proven = await proveFamily(session, keys, wish.family);
        return proven === undefined ? undefined : await write(session, evidence, proven, wish);
      },
      { isolation: 'repeatable read', readOnly: true },
    );
    if (written !== undefined) return written;
    if (tries === TRIES) throw notSigned();
    await sleep(1000, undefined, { signal: wish.signal });
  }
}

async function write(
  session: Session,
  evidence: Evidence,
  { checkpoint, walk, chain }: ProvenFamily,
  { family, path, withhold = [], signal, onProgress }: BundleWish,
): Promise<WrittenBundle> {
  const header: BundleHeader = {
    family,
    checkpoint: checkpoint.note,
    walk,
    withheld: withhold,
    exported_at: new Date().toISOString(),
    exported_by: evidence.operator,
  };
  const file = await place(path, `family-${family}-${checkpoint.size}.bundle`);
  const sink = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  const ready = once(sink, 'open').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? fileExists(file, '--bundle') : error;
  });
  await ready;
  // A full disk says so after the write; whoever writes next is told.
  let broken: Error | undefined;
  sink.on('error', (error) => {
    broken ??= error;
  });
  try {
    const digest = createHash('sha256');
    const line = async (text: string) => {
      if (broken !== undefined) throw broken;
      digest.update(`${text}\n`);
      await put(sink, `${text}\n`);
    };
    await line(BUNDLE);
    await line(formatHeader(header));
    const leafOnly = await readHistory(session, family, chain, withhold, {
      line,
      signal,
      onProgress: (events) => onProgress?.(events, chain.count),
    });
    const sha256 = digest.digest('hex');
    const end = await lockEvidence(evidence, async () =>
      signEnd({ log: checkpoint.log, sha256 }, (await openSigner(evidence.places)).key),
    );
    await put(sink, end);
    sink.end();
    await finished(sink);
    const { size, origin, madeAt } = checkpoint;
    return {
      family,
      file,
      events: chain.count,
      size,
      origin,
      complete_until: madeAt,
      withheld: withhold,
      leaf_only: leafOnly,
    };
  } catch (error) {
    sink.destroy();
    await rm(file, { force: true });
    throw error;
  }
}

async function put(sink: WriteStream, text: string): Promise<void> {
  if (!sink.write(text)) await once(sink, 'drain');
}

async function place(path: string, name: string): Promise<string> {
  const whole = resolve(path);
  const there = await stat(whole).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  return there?.isDirectory() === true ? join(whole, name) : whole;
}

function notSigned(): NestctlError {
  return new NestctlError('No known key has signed the log as it stands.', {
    kind: 'conflict',
    code: 'not_signed',
    hint: 'A history is proven complete under the head of the log, which sealing signs.',
    next: 'nestctl audit seal',
  });
}
