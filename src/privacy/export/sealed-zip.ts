import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { ZIP_END, ZIP_END_SIGNATURE } from '../../platform/zip/format.js';

export interface Seal {
  /** Of all bytes before the length of the comment, hex; and how many they are. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Passes a ZIP file on and puts at its end, as its comment, what `sign` makes of the hash of everything before: no byte
 * of the file is outside of what is signed, and every tool that reads ZIP files reads it.
 */
export function sealZip(sign: (seal: Seal) => Promise<Buffer>): Transform {
  const digest = createHash('sha256');
  let bytes = 0;
  let held: Buffer = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const pass = (passed: Buffer) => {
        digest.update(passed);
        bytes += passed.length;
        this.push(passed);
      };
      if (chunk.length < ZIP_END) {
        const all = Buffer.concat([held, chunk]);
        held = all.subarray(Math.max(0, all.length - ZIP_END));
        pass(all.subarray(0, all.length - held.length));
      } else {
        pass(held);
        const end = chunk.length - ZIP_END;
        held = Buffer.from(chunk.subarray(end));
        pass(chunk.subarray(0, end));
      }
      done();
    },
    flush(done) {
      if (
        held.length !== ZIP_END ||
        held.readUInt32LE(0) !== ZIP_END_SIGNATURE ||
        held.readUInt16LE(20) !== 0
      ) {
        done(new Error('a ZIP file did not end as one'));
        return;
      }
      const end = held.subarray(0, ZIP_END - 2);
      digest.update(end);
      sign({ sha256: digest.digest('hex'), bytes: bytes + end.length }).then(
        (comment) => {
          const length = Buffer.alloc(2);
          length.writeUInt16LE(comment.length);
          done(null, Buffer.concat([end, length, comment]));
        },
        (error: Error) => done(error),
      );
    },
  });
}
