import { hash } from 'node:crypto';

/** Bytes put together in one buffer that is used again: a buffer for each of millions of small things costs more than they do. */
export class ByteBuilder {
  #bytes = Buffer.alloc(4096);
  #end = 0;

  /** Forgets what was put in before. */
  start(): this {
    this.#end = 0;
    return this;
  }

  int32(value: number): this {
    this.#reserve(4);
    this.#end = this.#bytes.writeInt32BE(value, this.#end);
    return this;
  }

  /** A signed integer of 8 bytes, or an unsigned one. */
  int64(value: string): this {
    this.#reserve(8);
    this.#end = this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), this.#end);
    return this;
  }

  text(value: string, encoding: 'utf8' | 'base64' | 'hex' = 'utf8'): this {
    this.#reserve(value.length * 3);
    this.#end += this.#bytes.write(value, this.#end, encoding);
    return this;
  }

  raw(value: Buffer): this {
    this.#reserve(value.length);
    this.#end += value.copy(this.#bytes, this.#end);
    return this;
  }

  /** Its length in bytes, a colon, itself, a comma; null is absent and has no length. */
  netstring(value: string | null): this {
    return value === null
      ? this.text(':,')
      : this.text(`${Buffer.byteLength(value)}:`)
          .text(value)
          .text(',');
  }

  /** What was put in, until `start` is called. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  sha256(): Buffer {
    return hash('sha256', this.bytes(), 'buffer');
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#end + count));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
