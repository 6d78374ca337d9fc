import { open } from 'node:fs/promises';

/** How a file of age says that it is encrypted. */
export type Encryption = 'keys' | 'passphrase';

const FIRST_LINE = 'age-encryption.org/v1\n';
/** Of all that stands before what is encrypted; whoever looks for its end would read all of a file otherwise. */
const LONGEST_HEAD = 64 * 1024;
const NONCE = 16;
const TAG = 16;
const CHUNK = 64 * 1024 + TAG;

/**
 * What the outside of an encrypted file says (format age-encryption.org/v1); undefined where the file is none of age's,
 * `damaged` where its head has no end, or no file of age is as long.
 */
export async function encryptionOf(path: string): Promise<Encryption | 'damaged' | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST_HEAD), 0, LONGEST_HEAD, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (!head.startsWith(FIRST_LINE)) return undefined;
    const last = head.indexOf('\n---');
    const end = last === -1 ? -1 : head.indexOf('\n', last + 1);
    if (end === -1 || !isPayload((await file.stat()).size - (end + 1))) return 'damaged';
    return head.slice(0, last).includes('\n-> scrypt ') ? 'passphrase' : 'keys';
  } finally {
    await file.close();
  }
}

/** A nonce, then chunks of which the last alone may be shorter, and holds something unless it is all there is. */
function isPayload(bytes: number): boolean {
  const chunks = bytes - NONCE;
  return chunks === TAG || (chunks > TAG && (chunks % CHUNK === 0 || chunks % CHUNK > TAG));
}
