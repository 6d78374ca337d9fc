/** Bytes of which short spans are copied many times over: four at a time, which a call for each would take longer for. */
export class Bytes {
  readonly buffer: Buffer;
  readonly view: DataView;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }
}

/** Beyond this many bytes the call is the shorter. */
const LONG = 256;

/** Copies a span to where there is room for it; returns where it ends there. */
export function copyBytes(from: Bytes, start: number, end: number, to: Bytes, at: number): number {
  if (end - start > LONG) return at + from.buffer.copy(to.buffer, at, start, end);
  const [source, target] = [from.view, to.view];
  let read = start;
  let written = at;
  for (; read + 4 <= end; read += 4) {
    target.setInt32(written, source.getInt32(read, true), true);
    written += 4;
  }
  for (; read < end; read += 1) {
    target.setUint8(written, source.getUint8(read));
    written += 1;
  }
  return written;
}
