import { isUtf8 } from 'node:buffer';
import { finished } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import type { Connection } from './connection.js';
import { databaseError } from './errors.js';

const [TAB, NEWLINE, BACKSLASH, LETTER_N] = [0x09, 0x0a, 0x5c, 0x4e];

/** What is in a field, added up. Every field has ANY. */
export const [ANY, MARKED, ESCAPED] = [1, 2, 4] as const;
const END = 8;
/** By byte. MARKED: what JSON escapes or a spreadsheet may break cells at; COPY writes most of the control characters as they are. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === TAB || byte === NEWLINE) return END;
  if (byte === BACKSLASH) return ESCAPED;
  return byte < 0x20 || '";|'.includes(String.fromCharCode(byte)) ? MARKED : 0;
});

/**
 * The rows of a query in the text format of COPY, as the server sends them: whole lines, some at a time. What is not UTF-8
 * in a database that does not check it is replaced. Where it is left early, what is under way is read to its end first.
 */
export async function* copyLines(connection: Connection, query: string): AsyncGenerator<Buffer> {
  const stream = connection.client.query(copyTo(`copy (${query}) to stdout`));
  /** Of a line whose end has not come. */
  let begun: Buffer[] = [];
  let ended = false;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      // A line break of a value is written \n.
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end === 0) {
        begun.push(chunk);
        continue;
      }
      const first = begun.length === 0 ? 0 : chunk.indexOf(NEWLINE) + 1;
      if (first > 0) yield inUtf8(Buffer.concat([...begun, chunk.subarray(0, first)]));
      if (first < end) yield inUtf8(chunk.subarray(first, end));
      begun = end === chunk.length ? [] : [chunk.subarray(end)];
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw databaseError(error, connection.target);
  } finally {
    // Whoever stops reading leaves the connection in the middle of a COPY otherwise.
    if (!ended) await finished(stream.resume()).catch(() => undefined);
  }
}

const inUtf8 = (lines: Buffer) => (isUtf8(lines) ? lines : Buffer.from(lines.toString()));

/** Where the fields of a line stand: those of one line at a time, since a million lines are too many to have each its own. */
export class CopyFields {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** What is in each, as above. */
  readonly marks: Uint8Array;

  readonly #widths: Int32Array;

  /** So many characters each, where every value of a field has as many and none that COPY escapes; else 0. */
  constructor(widths: readonly number[]) {
    const count = widths.length;
    this.#widths = Int32Array.from(widths);
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
    this.marks = new Uint8Array(count);
  }

  /** Takes the line that begins there; returns where the next does. */
  read(lines: Buffer, from: number): number {
    const { starts, ends, marks } = this;
    const widths = this.#widths;
    let at = from;
    for (let field = 0; field < starts.length; field += 1) {
      starts[field] = at;
      let mark: number = ANY;
      let of = CLASSES[lines[at] as number] as number;
      if (widths[field] !== 0 && of === 0) {
        // Not NULL: nothing in it has to be looked at.
        at += widths[field] as number;
        of = CLASSES[lines[at] as number] as number;
      }
      while (of < END) {
        mark |= of;
        at += 1;
        of = CLASSES[lines[at] as number] as number;
      }
      ends[field] = at;
      marks[field] = mark;
      at += 1;
    }
    return at;
  }
}

export function isNull(lines: Buffer, from: number, to: number): boolean {
  return to - from === 2 && lines[from] === BACKSLASH && lines[from + 1] === LETTER_N;
}

const LETTERS: Readonly<Record<string, string>> = {
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
};

/** The text of a field that is not NULL. */
export function fieldText(lines: Buffer, from: number, to: number, marks: number): string {
  const text = lines.toString('utf8', from, to);
  return (marks & ESCAPED) === 0
    ? text
    : text.replace(/\\(.)/gs, (_, letter: string) => LETTERS[letter] ?? letter);
}
