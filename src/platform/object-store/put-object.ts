import { createHash } from 'node:crypto';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { base64, sha256 } from './checksum.js';
import type { Client } from './client.js';
import { finishUpload } from './finish-upload.js';
import {
  abandonUpload,
  beginUpload,
  completeUpload,
  fewAtOnce,
  type Part,
  partSizeFor,
  sendPart,
} from './multipart.js';
import type { SendOptions, Sent } from './object.js';
import { encryptionHeaders } from './settings.js';

export interface PutOptions extends SendOptions {
  /** Refuse to replace what is there: throws `object_exists`. */
  readonly ifAbsent?: boolean | undefined;
  /** About how long a stream will be, bytes; parts are 5 MiB, enough for 48 GiB, when absent. */
  readonly expectedSize?: number | undefined;
}

/** Whoever streams does it for the memory: small parts, and not many at once. */
const LEAST_PART = 5;
const AT_ONCE = 2;

/**
 * Stores bytes or a stream, in parts where it is longer than one, and reads them back. A stream cannot be gone on
 * with after an interruption: what was sent of it is removed.
 */
export async function putObject(
  client: Client,
  Key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: PutOptions = {},
): Promise<Sent> {
  const parts = inParts(source, partSizeFor(options.expectedSize ?? 0, LEAST_PART));
  const first = (await parts.next()).value ?? Buffer.alloc(0);
  const second = await parts.next();
  if (second.done === true) return await putBytes(client, Key, first, options);

  const rest = (async function* () {
    yield first;
    yield second.value;
    yield* parts;
  })();
  return await putStream(client, Key, rest, options);
}

/** Stores what fits into one request. */
export async function putBytes(
  client: Client,
  Key: string,
  bytes: Uint8Array,
  options: PutOptions,
): Promise<Sent> {
  const digest = sha256(bytes);
  const hex = digest.toString('hex');
  const { VersionId } = await client.run(
    (s3, how) =>
      s3.send(
        new client.sdk.PutObjectCommand({
          Bucket: client.settings.bucket,
          Key,
          Body: bytes,
          ContentLength: bytes.length,
          ContentType: options.contentType,
          ChecksumSHA256: base64(digest),
          Metadata: { sha256: hex },
          ...encryptionHeaders(client.settings),
          IfNoneMatch: options.ifAbsent === true ? '*' : undefined,
        }),
        how,
      ),
    Key,
    options.signal,
  );
  options.onProgress?.({ sent: bytes.length, found: 0, total: bytes.length });
  const expected = { size: bytes.length, sha256: hex };
  return await finishUpload(client, Key, VersionId, expected, { parts_sent: 1, parts_found: 0 }, options);
}

async function putStream(
  client: Client,
  Key: string,
  source: AsyncIterable<Buffer>,
  options: PutOptions,
): Promise<Sent> {
  const id = await beginUpload(client, Key, options);
  const whole = createHash('sha256');
  const digests: Buffer[] = [];
  const done: CompletedPart[] = [];
  let size = 0;
  let sent = 0;
  const numbered = (async function* () {
    for await (const bytes of source) {
      whole.update(bytes);
      size += bytes.length;
      digests.push(sha256(bytes));
      yield { number: digests.length, bytes, sha256: digests.at(-1) as Buffer };
    }
  })();
  try {
    const send = async (part: Part) => {
      done.push(await sendPart(client, Key, id, part, options.signal));
      sent += part.bytes.length;
      options.onProgress?.({ sent, found: 0, total: options.expectedSize });
    };
    await fewAtOnce(numbered, send, AT_ONCE);
    const version = await completeUpload(client, Key, id, done, options.ifAbsent);
    const expected = { size, sha256: whole.digest('hex'), parts: digests };
    const counts = { parts_sent: done.length, parts_found: 0 };
    return await finishUpload(client, Key, version, expected, counts, options);
  } catch (error) {
    await abandonUpload(client, Key, id);
    throw error;
  }
}

/** Cuts bytes or a stream into pieces of one size; the last is what is left. What comes is copied: it may be used again. */
async function* inParts(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer, undefined> {
  let part = Buffer.alloc(0);
  let length = 0;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + size - length);
      const needed = length + end - at;
      if (needed > part.length) {
        const larger = Buffer.alloc(Math.min(size, Math.max(needed, 2 * part.length)));
        part.copy(larger, 0, 0, length);
        part = larger;
      }
      part.set(chunk.subarray(at, end), length);
      length = needed;
      at = end;
      if (length < size) continue;
      yield part;
      part = Buffer.alloc(size);
      length = 0;
    }
  }
  if (length > 0) yield part.subarray(0, length);
  return undefined;
}
