import { NestctlError } from '../errors.js';
import { base64, compositeChecksum, digestStream } from './checksum.js';
import type { Client } from './client.js';
import type { Sent } from './object.js';
import { readObject } from './read-object.js';

export interface Expected {
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** The digests of its parts, where it was sent in parts. */
  readonly parts?: readonly Uint8Array[];
}

/**
 * Compares what lies in the store with what was sent: by the SHA-256 that the store has calculated, else by
 * reading all of it again. Throws `checksum_mismatch`.
 */
export async function verifyObject(
  client: Client,
  Key: string,
  version: string | undefined,
  expected: Expected,
  signal?: AbortSignal,
): Promise<Sent['verified_by']> {
  const facts = await client.run(
    (s3, how) =>
      s3.send(
        new client.sdk.HeadObjectCommand({
          Bucket: client.settings.bucket,
          Key,
          VersionId: version,
          ChecksumMode: 'ENABLED',
        }),
        how,
      ),
    Key,
    signal,
  );
  if (facts.ContentLength !== expected.size) {
    throw mismatch(Key, `it has ${facts.ContentLength} bytes, ${expected.size} were sent`);
  }
  if (facts.ChecksumSHA256 !== undefined) {
    const whole = base64(Buffer.from(expected.sha256, 'hex'));
    const composite = compositeChecksum(expected.parts ?? []);
    if (facts.ChecksumSHA256 === whole || facts.ChecksumSHA256 === composite) return 'store_checksum';
    throw mismatch(Key, "the store's SHA-256 is another one");
  }
  const found = await digestStream(readObject(client, Key, { version, signal }));
  if (found.sha256 !== expected.sha256) throw mismatch(Key, 'its bytes are not those that were sent');
  return 'read_back';
}

function mismatch(key: string, what: string): NestctlError {
  return new NestctlError(`${key} was read back and is damaged: ${what}.`, {
    kind: 'failure',
    code: 'checksum_mismatch',
    hint: 'It is not a copy: send it again. If that repeats, store or network damage data.',
  });
}
