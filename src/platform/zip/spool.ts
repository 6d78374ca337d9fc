import { type Cipher, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectBuffers } from '../collect-garbage.js';

/** So much is held in memory, bytes; what is more lies on the disk. */
const HELD = 128 * 1024;
const PIECE = 128 * 1024;
/** So many pieces lie between two collections of those that have passed. */
const PIECES_APART = 16;
const CIPHER = 'aes-256-ctr';
const START = Buffer.alloc(16);

/**
 * Bytes that wait for their turn: in memory while they are few, else in a file without a name, encrypted with a key that
 * this process alone has, and never writes. However it ends, nothing that can be read stays behind.
 */
export class Spool {
  readonly #key = randomBytes(32);
  /** The last of them, which are not on the disk. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;
  #file: FileHandle | undefined;
  #cipher: Cipher | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  async add(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= HELD) return;
    const held = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#file ??= await openNameless();
    this.#cipher ??= createCipheriv(CIPHER, this.#key, START);
    await writeWhole(this.#file, this.#cipher.update(held));
  }

  /** All that was added, again. */
  async *chunks(): AsyncGenerator<Buffer> {
    const stored = this.#bytes - this.#heldBytes;
    const decipher = createDecipheriv(CIPHER, this.#key, START);
    const piece = Buffer.allocUnsafe(Math.min(PIECE, stored));
    for (let position = 0, since = 0; position < stored; since += 1) {
      const length = Math.min(PIECE, stored - position);
      const bytesRead = (await this.#file?.read(piece, 0, length, position))?.bytesRead ?? 0;
      if (bytesRead === 0) throw new Error('what waited on the disk was cut');
      position += bytesRead;
      yield decipher.update(piece.subarray(0, bytesRead));
      if (since % PIECES_APART === PIECES_APART - 1) collectBuffers();
    }
    yield* this.#held;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#held = [];
    await file?.close();
  }
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'nestctl-spool-'));
  try {
    return await open(join(folder, 'spool'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done);
    done += bytesWritten;
  }
}
