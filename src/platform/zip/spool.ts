import { type Cipher, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** So much is held in memory, bytes; what is more lies on the disk. */
const HELD = 128 * 1024;
const PIECE = 64 * 1024;
const CIPHER = 'aes-256-ctr';
const START = Buffer.alloc(16);

/**
 * Bytes that wait for their turn: in memory while they are few, else in a file without a name, encrypted with a key that
 * this process alone has, and never writes. However it ends, nothing that can be read stays behind.
 */
export class Spool {
  readonly #key = randomBytes(32);
  #held: Buffer[] = [];
  #bytes = 0;
  #file: FileHandle | undefined;
  #cipher: Cipher | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  async add(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length;
    this.#held.push(chunk);
    if (this.#file === undefined && this.#bytes <= HELD) return;
    this.#file ??= await openNameless();
    this.#cipher ??= createCipheriv(CIPHER, this.#key, START);
    const [held, cipher] = [this.#held, this.#cipher];
    this.#held = [];
    for (const piece of held) await writeWhole(this.#file, cipher.update(piece));
  }

  /** All that was added, again. */
  async *chunks(): AsyncGenerator<Buffer> {
    if (this.#file === undefined) {
      yield* this.#held;
      return;
    }
    const decipher = createDecipheriv(CIPHER, this.#key, START);
    for (let position = 0; position < this.#bytes; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, position);
      if (bytesRead === 0) throw new Error('what waited on the disk was cut');
      position += bytesRead;
      yield decipher.update(buffer.subarray(0, bytesRead));
    }
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
