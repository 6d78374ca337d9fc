import { createHash } from 'node:crypto';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { base64, sha256 } from './checksum.js';
import type { Client } from './client.js';
import { finishUpload } from './finish-upload.js';
import { abandonUpload, beginUpload, completeUpload, fewAtOnce, partSizeFor, sendPart } from './multipart.js';
import type { SendOptions, Sent } from './object.js';

export interface PutOptions extends SendOptions {
  /** Refuse to replace what is there: throws `object_exists`. */
  readonly ifAbsent?: boolean | undefined;
  /** About how long a stream will be, bytes; parts are 8 MiB, enough for 78 GiB, when absent. */
  readonly expectedSize?: number | undefined;
}

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
  const parts = inParts(source, partSizeFor(options.expectedSize ?? 0));
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
    await fewAtOnce(numbered, async (part) => {
      done.push(await sendPart(client, Key, id, part, options.signal));
      sent += part.bytes.length;
      options.onProgress?.({ sent, found: 0, total: options.expectedSize });
    });
    const version = await completeUpload(client, Key, id, done, options.ifAbsent);
    const expected = { size, sha256: whole.digest('hex'), parts: digests };
    const counts = { parts_sent: done.length, parts_found: 0 };
    return await finishUpload(client, Key, version, expected, counts, options);
  } catch (error) {
    await abandonUpload(client, Key, id);
    throw error;
  }
}

/** Cuts a stream into pieces of one size; the last is what is left. */
async function* inParts(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer, undefined> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    let rest = chunk;
    while (length + rest.length >= size) {
      const piece = Buffer.concat([...held, rest.subarray(0, size - length)]);
      rest = rest.subarray(size - length);
      held = [];
      length = 0;
      yield piece;
    }
    held.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(held);
  return undefined;
}
