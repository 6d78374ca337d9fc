import { createHash } from 'node:crypto';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { type EncryptTo, openEncrypter } from './encryption.js';

/** What came out of an encryption. */
export interface Encrypted {
  /** Of what went in, hex. */
  readonly plain_sha256: string;
  /** Of the encrypted file, hex; and its size. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * What `produce` writes reaches the sink encrypted, and nothing of it in any other way; memory does not grow with it.
 * Throws what `openEncrypter` does.
 */
export async function encryptInto<R>(
  to: EncryptTo,
  sink: Writable,
  produce: (plain: Writable) => Promise<R>,
): Promise<{ readonly result: R; readonly encrypted: Encrypted }> {
  const encrypter = await openEncrypter(to);
  const plain = new PassThrough();
  const inside = createHash('sha256');
  const outside = createHash('sha256');
  let bytes = 0;
  // From an iterable, since a stream of Node's turned into one of the Web reads thousands of chunks ahead.
  const clear = ReadableStream.from(passed(plain, (chunk) => inside.update(chunk)));
  const closed = (await encrypter.encrypt(clear as ReadableStream<Uint8Array>)) as WebStream<Uint8Array>;
  const counted = passed(closed, (chunk) => {
    outside.update(chunk);
    bytes += chunk.length;
  });
  const writing = pipeline(Readable.from(counted, { objectMode: false }), sink, { end: false });
  writing.catch((error: Error) => plain.destroy(error));
  try {
    const result = await produce(plain);
    plain.end();
    await writing;
    const encrypted = { plain_sha256: inside.digest('hex'), sha256: outside.digest('hex'), bytes };
    return { result, encrypted };
  } catch (error) {
    plain.destroy(error as Error);
    const failed: unknown = await writing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    throw isClosed(error) ? (failed ?? error) : error;
  }
}

/** Where the other end failed, a stream says no more than that it was closed. */
const isClosed = (error: unknown) =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_STREAM_PREMATURE_CLOSE';

async function* passed<C extends Uint8Array>(
  chunks: AsyncIterable<C>,
  see: (chunk: C) => void,
): AsyncGenerator<C> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}
