import { Transform } from 'node:stream';

const BREAK = 0x0a;

/** Makes one JSON array of objects that come as lines, in several streams one after another. */
export function jsonArray(): { part(): Transform; end(): string } {
  let begun = false;
  // A line end is a comma only where another line follows.
  let owed = false;
  return {
    part: () =>
      new Transform({
        transform(chunk: Buffer, _, done) {
          if (chunk.length === 0) return done();
          const ends = chunk.at(-1) === BREAK;
          const body = (ends ? chunk.subarray(0, -1) : chunk).toString('latin1').replaceAll('\n', ',\n');
          const before = begun ? (owed ? ',\n' : '') : '[\n';
          begun = true;
          owed = ends;
          // Bytes, whatever they spell: a character may be cut between two chunks.
          done(null, Buffer.from(before + body, 'latin1'));
        },
      }),
    end: () => (begun ? '\n]\n' : '[]\n'),
  };
}
