import { to as copyTo } from 'pg-copy-streams';
import type { Connection } from '../../platform/database/connection.js';
import { databaseError } from '../../platform/database/errors.js';

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
  let rest: Buffer = Buffer.alloc(0);
  let begun = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      if (!begun) {
        if (bytes.length < SIGNATURE) {
          rest = bytes;
          continue;
        }
        at = SIGNATURE + bytes.readInt32BE(SIGNATURE - 4);
        begun = true;
      }
      for (;;) {
        const row = readRow(bytes, at);
        if (row === undefined) break;
        at = row.end;
        if (row.fields !== undefined) onRow(row.fields);
      }
      rest = bytes.subarray(at);
    }
  } catch (error) {
    throw databaseError(error, connection.target);
  }
}

function readRow(
  bytes: Buffer,
  start: number,
): { readonly fields: (Buffer | null)[] | undefined; readonly end: number } | undefined {
  if (bytes.length < start + 2) return undefined;
  const count = bytes.readInt16BE(start);
  if (count < 0) return { fields: undefined, end: start + 2 };
  const fields: (Buffer | null)[] = new Array(count);
  let at = start + 2;
  for (let field = 0; field < count; field += 1) {
    if (bytes.length < at + 4) return undefined;
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) fields[field] = null;
    else {
      if (bytes.length < at + length) return undefined;
      fields[field] = bytes.subarray(at, at + length);
      at += length;
    }
  }
  return { fields, end: at };
}
