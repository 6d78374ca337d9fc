import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { NestctlError } from '../errors.js';
import { sha256 } from './checksum.js';

export interface Digests {
  readonly size: number;
  readonly partSize: number;
  /** Of the whole, hex. */
  readonly sha256: string;
  /** MD5 is only what stores name a part after. */
  readonly parts: readonly { readonly size: number; readonly sha256: Buffer; readonly md5: string }[];
}

/** Reads a file once, for the digest of the whole and of each part. */
export async function digestFile(
  handle: FileHandle,
  size: number,
  partSize: number,
  signal?: AbortSignal,
): Promise<Digests> {
  const whole = createHash('sha256');
  const parts: Digests['parts'][number][] = [];
  for (let at = 0; at < size; at += partSize) {
    signal?.throwIfAborted();
    const bytes = await readPart(handle, at, Math.min(partSize, size - at));
    whole.update(bytes);
    parts.push({
      size: bytes.length,
      sha256: sha256(bytes),
      md5: createHash('md5').update(bytes).digest('hex'),
    });
  }
  return { size, partSize, sha256: whole.digest('hex'), parts };
}

/** Exactly `length` bytes from `position`. Throws `source_changed` where they are not there or not the expected. */
export async function readPart(
  handle: FileHandle,
  position: number,
  length: number,
  expected?: Buffer,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  if (read === length && (expected === undefined || sha256(bytes).equals(expected))) return bytes;
  throw new NestctlError('The file changed while it was sent.', {
    kind: 'conflict',
    code: 'source_changed',
    hint: 'Let what writes it finish, then run the command again.',
  });
}
