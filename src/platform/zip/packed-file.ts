import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { crc32, createDeflateRaw } from 'node:zlib';
import { Spool } from './spool.js';

/** A file as it will stand in a ZIP file. */
export interface PackedFile {
  readonly path: string;
  /** Of its content: hex, length and checksum. */
  readonly sha256: string;
  readonly bytes: number;
  readonly crc32: number;
  /** How long it is deflated. */
  readonly packed: number;
  /** It deflated. */
  chunks(): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Twice as fast as zlib's own choice, for a tenth more bytes. From 4 on it searches long where ids match nothing. */
const LEVEL = 3;
const BLOCK = 128 * 1024;
const OPTIONS = { level: LEVEL, chunkSize: BLOCK, highWaterMark: 2 * BLOCK };

/**
 * Takes the content of a file and deflates it beside whatever else is done, so that several files of a ZIP file come to
 * be at once, which has them one behind the other. Memory does not grow with them.
 */
export class FilePacker {
  readonly #path: string;
  readonly #digest = createHash('sha256');
  readonly #deflate = createDeflateRaw(OPTIONS);
  readonly #spool = new Spool();
  readonly #stored: Promise<void>;
  /** What was written and is not deflated yet. */
  #block = Buffer.allocUnsafe(BLOCK);
  #filled = 0;
  #bytes = 0;
  #crc32 = 0;

  constructor(path: string) {
    this.#path = path;
    this.#stored = this.#store();
    // Told where it is waited for.
    this.#stored.catch(() => undefined);
  }

  /** Where it returns a promise, nothing more is to be written before that has settled. */
  write(text: string): Promise<void> | undefined {
    const most = 3 * text.length;
    if (most > BLOCK) return this.#whole(Buffer.from(text));
    const full = most > BLOCK - this.#filled ? this.#flush() : undefined;
    this.#filled += this.#block.write(text, this.#filled);
    return full;
  }

  async end(): Promise<PackedFile> {
    await this.#flush();
    this.#deflate.end();
    await this.#stored;
    const spool = this.#spool;
    return {
      ...{ path: this.#path, sha256: this.#digest.digest('hex'), bytes: this.#bytes, crc32: this.#crc32 },
      packed: spool.bytes,
      chunks: () => spool.chunks(),
      close: () => spool.close(),
    };
  }

  /** Gives up what was written. */
  async discard(): Promise<void> {
    this.#deflate.destroy();
    await this.#stored.catch(() => undefined);
    await this.#spool.close();
  }

  #flush(): Promise<void> | undefined {
    const block = this.#block.subarray(0, this.#filled);
    // It is deflated in its own time.
    this.#block = Buffer.allocUnsafe(BLOCK);
    this.#filled = 0;
    return this.#pack(block);
  }

  async #whole(text: Buffer): Promise<void> {
    await this.#flush();
    await this.#pack(text);
  }

  #pack(block: Buffer): Promise<void> | undefined {
    if (block.length === 0) return undefined;
    this.#digest.update(block);
    this.#crc32 = crc32(block, this.#crc32);
    this.#bytes += block.length;
    return this.#deflate.write(block) ? undefined : this.#room();
  }

  async #room(): Promise<void> {
    await Promise.race([once(this.#deflate, 'drain'), this.#stored]);
  }

  async #store(): Promise<void> {
    for await (const chunk of this.#deflate) await this.#spool.add(chunk as Buffer);
  }
}

/** A file whose whole content is at hand. */
export async function packText(path: string, text: string): Promise<PackedFile> {
  const packer = new FilePacker(path);
  try {
    await packer.write(text);
    return await packer.end();
  } catch (error) {
    await packer.discard();
    throw error;
  }
}
