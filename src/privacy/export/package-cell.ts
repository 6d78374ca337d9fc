import { Bytes, copyBytes } from '../../platform/bytes.js';
import { ANY, ESCAPED, fieldText, MARKED } from '../../platform/database/copy-lines.js';
import { mostBytes } from '../../platform/zip/packed-file.js';
import { csvCell, jsonCell } from './cell.js';
import type { Kind } from './package-tables.js';

const QUOTE = 0x22;
const [NULL_JSON, NOTHING] = [new Bytes(Buffer.from('null')), new Bytes(Buffer.alloc(0))];

/** What stands in a cell. AS_IT_CAME: its bytes are the same in JSON and in CSV, but for the quotes around them. */
const [NOT_GIVEN, NULL, AS_IT_CAME, SPELLED] = [0, 1, 2, 3] as const;

interface Form {
  /** A field with any of this in it is spelled, whatever else it is. */
  readonly spelledWith: number;
  readonly jsonQuotes: boolean;
  readonly csvQuotes: boolean;
  /** What else it takes to be the same in both. */
  readonly plain?: (lines: Buffer, from: number, to: number) => boolean;
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
/** No formula begins so, and there is nothing behind which another could. */
const startsPlainly = (lines: Buffer, from: number, to: number) =>
  from === to || isLetter(lines[from] as number) || isDigit(lines[from] as number);

const BARE: Form = { spelledWith: ESCAPED, jsonQuotes: false, csvQuotes: false };
const TEXT: Form = {
  ...{ spelledWith: ESCAPED | MARKED, jsonQuotes: true, csvQuotes: true },
  plain: startsPlainly,
};
const ALWAYS_SPELLED: Form = { spelledWith: ANY, jsonQuotes: false, csvQuotes: false };
/** When jsonCell and csvCell would change nothing: they alone say what a cell is, and this is a shorter way to the same. */
const FORMS: Readonly<Record<Kind, Form>> = {
  boolean: BARE,
  integer: BARE,
  // All but NaN and the infinities.
  number: { ...BARE, plain: (lines, _, to) => isDigit(lines[to - 1] as number) },
  time: { ...BARE, jsonQuotes: true },
  date: { ...BARE, jsonQuotes: true },
  uuid: { ...BARE, jsonQuotes: true, csvQuotes: true },
  interval: TEXT,
  text: TEXT,
  array: ALWAYS_SPELLED,
  json: ALWAYS_SPELLED,
};

/** A column of the row at hand. It is filled again with each row: no row of a million leaves anything to be collected. */
export class PackageCell {
  readonly #kind: Kind;
  readonly #form: Form;
  #state: number = NOT_GIVEN;
  #lines = NOTHING;
  #from = 0;
  #to = 0;
  #marks = 0;
  #text: string | undefined;
  #json: string | undefined;
  #csv: string | undefined;

  constructor(kind: Kind) {
    this.#kind = kind;
    this.#form = FORMS[kind];
  }

  notGiven(): void {
    this.#state = NOT_GIVEN;
  }

  null(): void {
    this.#state = NULL;
  }

  /** A field of COPY text. */
  field(lines: Bytes, from: number, to: number, marks: number): void {
    const { spelledWith, plain } = this.#form;
    const same = (marks & spelledWith) === 0 && (plain === undefined || plain(lines.buffer, from, to));
    this.#state = same ? AS_IT_CAME : SPELLED;
    this.#lines = lines;
    this.#from = from;
    this.#to = to;
    this.#marks = marks;
    this.#forget(undefined);
  }

  replace(text: string): void {
    this.#state = SPELLED;
    this.#forget(text);
  }

  /** As PostgreSQL prints it, or what replaced it; undefined: not this person's to be given. */
  get text(): string | null | undefined {
    if (this.#state === NOT_GIVEN) return undefined;
    return this.#state === NULL ? null : this.#spelled;
  }

  get given(): boolean {
    return this.#state !== NOT_GIVEN;
  }

  /** So many bytes it takes at most, either way. */
  get most(): number {
    if (this.#state === AS_IT_CAME) return this.#to - this.#from + 2;
    if (this.#state !== SPELLED) return NULL_JSON.buffer.length;
    this.#json ??= jsonCell(this.#kind, this.#spelled);
    this.#csv ??= csvCell(this.#kind, this.#spelled);
    return Math.max(mostBytes(this.#json), mostBytes(this.#csv));
  }

  /** Puts it as JSON there, once `most` was asked for; returns where it ends. */
  json(block: Bytes, at: number): number {
    if (this.#state === AS_IT_CAME) return this.#put(block, at, this.#form.jsonQuotes);
    if (this.#state !== SPELLED) return copyBytes(NULL_JSON, 0, NULL_JSON.buffer.length, block, at);
    return at + block.buffer.write(this.#json as string, at);
  }

  /** The same in CSV. */
  csv(block: Bytes, at: number): number {
    if (this.#state === AS_IT_CAME) return this.#put(block, at, this.#form.csvQuotes);
    return this.#state === SPELLED ? at + block.buffer.write(this.#csv as string, at) : at;
  }

  get #spelled(): string {
    this.#text ??= fieldText(this.#lines.buffer, this.#from, this.#to, this.#marks);
    return this.#text;
  }

  #forget(text: string | undefined): void {
    this.#text = text;
    this.#json = undefined;
    this.#csv = undefined;
  }

  #put(block: Bytes, at: number, quotes: boolean): number {
    if (!quotes) return copyBytes(this.#lines, this.#from, this.#to, block, at);
    block.buffer[at] = QUOTE;
    const end = copyBytes(this.#lines, this.#from, this.#to, block, at + 1);
    block.buffer[end] = QUOTE;
    return end + 1;
  }
}
