import { to as copyTo } from 'pg-copy-streams';
import type { Connection } from './connection.js';
import { databaseError } from './errors.js';

/** The rows of a query, some at a time as the server sends them, each column as PostgreSQL prints it; NULL is null. */
export async function* copyText(
  connection: Connection,
  query: string,
): AsyncGenerator<readonly (readonly (string | null)[])[]> {
  const stream = connection.client.query(copyTo(`copy (${query}) to stdout`));
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of stream) {
      // A line break of a value is written \n.
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() as string;
      if (lines.length > 0) yield lines.map((line) => line.split('\t').map(read));
    }
  } catch (error) {
    throw databaseError(error, connection.target);
  } finally {
    // Whoever stops reading leaves the connection in the middle of a COPY otherwise.
    stream.destroy();
  }
}

const ESCAPED: Readonly<Record<string, string>> = {
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};

function read(field: string): string | null {
  if (!field.includes('\\')) return field;
  return field === '\\N' ? null : field.replace(/\\(.)/gs, (_, code: string) => ESCAPED[code] ?? code);
}
