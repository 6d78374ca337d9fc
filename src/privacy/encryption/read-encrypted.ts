import { createReadStream } from 'node:fs';
import type { ReadableStream as WebStream } from 'node:stream/web';
import type { Decrypter } from 'age-encryption';
import { NestctlError } from '../../platform/errors.js';
import type { DecryptWith } from './encryption.js';

/** It does not decrypt: bytes of it were changed, or it was cut. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
}

/**
 * What an encrypted file holds, as it is read; memory does not grow with it. Undefined where the opening does not open
 * it. Throws `DamagedFile`, also while it is read: whatever came before must not be used then.
 */
export async function readEncrypted(
  path: string,
  opening: DecryptWith,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const decrypter = await openDecrypter(opening);
  const source = createReadStream(path);
  try {
    const stream = ReadableStream.from(source as AsyncIterable<Uint8Array>);
    return judged((await decrypter.decrypt(stream as ReadableStream<Uint8Array>)) as WebStream<Uint8Array>);
  } catch (error) {
    source.destroy();
    if (/no identity matched/.test((error as Error).message)) return undefined;
    throw damage(error);
  }
}

/** Throws `bad_identity`, which does not hold what was given. */
async function openDecrypter(opening: DecryptWith): Promise<Decrypter> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  if ('passphrase' in opening) {
    decrypter.addPassphrase(opening.passphrase);
    return decrypter;
  }
  try {
    for (const identity of opening.identities) decrypter.addIdentity(identity);
  } catch {
    throw new NestctlError('The identity file holds a line that is no secret key of age.', {
      kind: 'usage',
      code: 'bad_identity',
      hint: 'It is what age-keygen writes: lines that begin with AGE-SECRET-KEY-1, and comments that begin with #.',
      next: 'nestctl export verify --help',
    });
  }
  return decrypter;
}

async function* judged(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw damage(error);
  }
}

/** What the system says of the disk is not the file's fault. */
function damage(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code === undefined
    ? new DamagedFile('the file does not decrypt', { cause: error })
    : error;
}
