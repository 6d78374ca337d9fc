import { to as copyTo } from 'pg-copy-streams';
import type { Connection } from '../platform/database/connection.js';
import { databaseError } from '../platform/database/errors.js';

const SIGNATURE = 11 + 4 + 4;

/**
 * Hands over the rows of a query as the server sends them, in COPY's binary format; null fields are null. A field may
 * be looked at until `onRow` returns. A call a row, since an iterator's promise a row would cost more than the row.
 */
export async function copyRows(
  connection: Connection,
  query: string,
  onRow: (fields: readonly (Buffer | null)[]) => void,
  signal?: AbortSignal,
): Promise<void> {
  const stream = connection.client.query(copyTo(`copy (${query}) to stdout (format binary)`));
  // One buffer for what comes: one for each piece that does would be the most of what the garbage collector has to do.
  let bytes: Buffer = Buffer.alloc(262_144);
  let at = 0;
  let end = 0;
  let begun = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      if (end + chunk.length > bytes.length) {
        const rest = end - at;
        const room = rest + chunk.length > bytes.length ? Buffer.alloc(2 * (rest + chunk.length)) : bytes;
        bytes.copy(room, 0, at, end);
        [bytes, at, end] = [room, 0, rest];
      }
      end += chunk.copy(bytes, end);
      if (!begun) {
        if (end < SIGNATURE) continue;
        at = SIGNATURE + bytes.readInt32BE(SIGNATURE - 4);
        begun = true;
      }
      for (;;) {
        const row = readRow(bytes, at, end);
        if (row === undefined) break;
        at = row.end;
        if (row.fields !== undefined) onRow(row.fields);
      }
    }
  } catch (error) {
    throw databaseError(error, connection.target);
  }
}

function readRow(
  bytes: Buffer,
  start: number,
  whole: number,
): { readonly fields: (Buffer | null)[] | undefined; readonly end: number } | undefined {
  if (whole < start + 2) return undefined;
  const count = bytes.readInt16BE(start);
  if (count < 0) return { fields: undefined, end: start + 2 };
  const fields: (Buffer | null)[] = new Array(count);
  let at = start + 2;
  for (let field = 0; field < count; field += 1) {
    if (whole < at + 4) return undefined;
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) fields[field] = null;
    else {
      if (whole < at + length) return undefined;
      fields[field] = bytes.subarray(at, at + length);
      at += length;
    }
  }
  return { fields, end: at };
}
