import { createHash } from 'node:crypto';
import { collectBuffers } from '../collect-garbage.js';

/** What was read is garbage at once, and V8 by itself lets tens of megabytes of it grow. */
const COLLECTED_EACH = 4 * 1024 * 1024;

/** SHA-256 as S3 writes it, base64. */
export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function base64(digest: Uint8Array): string {
  return Buffer.from(digest).toString('base64');
}

/** What a store calculates for an object sent in parts: the digest of their digests, and how many they are. */
export function compositeChecksum(parts: readonly Uint8Array[]): string {
  return `${base64(sha256(Buffer.concat(parts)))}-${parts.length}`;
}

/** SHA-256 (hex) and length of a stream that is read to its end. */
export async function digestStream(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let [size, collected] = [0, 0];
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
    if (size - collected < COLLECTED_EACH) continue;
    collected = size;
    collectBuffers();
  }
  return { sha256: hash.digest('hex'), size };
}
