import { Bytes, copyBytes } from '../../platform/bytes.js';
import { FilePacker, type PackedFile } from '../../platform/zip/packed-file.js';
import { addTurn } from './account-sections.js';
import type { Group } from './groups.js';
import type { PackageColumn } from './package-tables.js';
import { type Preview, SHOWN_ROWS } from './page.js';
import type { PackageRow } from './read-rows.js';

const COMMA = 0x2c;
const bytes = (text: string) => new Bytes(Buffer.from(text));
const [FIRST, NEXT, END, LINE_END] = [bytes('[\n{'), bytes(',\n{'), bytes('}'), bytes('\r\n')];
/** Of all of them. */
const AROUND = 8;

interface Column {
  /** Where it stands in a row as it is read. */
  readonly place: number;
  /** As it stands in JSON, behind another. */
  readonly name: Bytes;
}

/** The two files of a group, as they come to be row by row, and what the page shows of them. */
export class GroupFiles {
  readonly preview: Preview;
  readonly #columns: readonly Column[];
  readonly #json: FilePacker;
  readonly #csv: FilePacker;
  /** Bytes that a row takes beside its values, at most. */
  readonly #around: number;

  /** `read`: the columns that rows come with. */
  constructor(group: Group, read: readonly PackageColumn[]) {
    this.#columns = group.columns.map((column) => ({
      place: read.indexOf(column),
      name: bytes(`,${JSON.stringify(column.column_name)}:`),
    }));
    this.#around = this.#columns.reduce((sum, { name }) => sum + name.buffer.length, AROUND);
    this.preview = { group, rows: [], count: 0, turns: new Map() };
    this.#json = new FilePacker(`${group.path}.json`);
    this.#csv = new FilePacker(`${group.path}.csv`);
    // Short of a block: nothing to wait for.
    void this.#csv.write(`${group.columns.map(({ column_name }) => column_name).join(',')}\r\n`);
  }

  /** Where it returns a promise, no row is to be added before that has settled. */
  add(row: PackageRow): Promise<unknown> | undefined {
    this.#show(row);
    let most = this.#around;
    for (const { place } of this.#columns) most += (row.cells[place] as PackageRow['cells'][number]).most;
    const [one, other] = [this.#json.reserve(most), this.#csv.reserve(most)];
    this.#putJson(row);
    this.#putCsv(row);
    return one === undefined ? other : other === undefined ? one : Promise.all([one, other]);
  }

  async end(): Promise<readonly PackedFile[]> {
    await this.#json.write(this.preview.count === 0 ? '[]\n' : '\n]\n');
    return [await this.#json.end(), await this.#csv.end()];
  }

  async discard(): Promise<void> {
    await Promise.all([this.#json.discard(), this.#csv.discard()]);
  }

  #putJson({ cells }: PackageRow): void {
    const { block, filled } = this.#json;
    let at = put(this.preview.count === 1 ? FIRST : NEXT, block, filled);
    let first = 1;
    for (const { place, name } of this.#columns) {
      const cell = cells[place] as PackageRow['cells'][number];
      if (!cell.given) continue;
      at = cell.json(block, copyBytes(name, first, name.buffer.length, block, at));
      first = 0;
    }
    this.#json.filled = put(END, block, at);
  }

  #putCsv({ cells }: PackageRow): void {
    const { block, filled } = this.#csv;
    let at = filled;
    for (let n = 0; n < this.#columns.length; n += 1) {
      if (n > 0) {
        block.buffer[at] = COMMA;
        at += 1;
      }
      at = (cells[(this.#columns[n] as Column).place] as PackageRow['cells'][number]).csv(block, at);
    }
    this.#csv.filled = put(LINE_END, block, at);
  }

  #show(row: PackageRow): void {
    const { group, rows, turns } = this.preview;
    this.preview.count += 1;
    if (rows.length === SHOWN_ROWS && group.table.account === undefined) return;
    const values = this.#columns.map(({ place }) => row.text(place));
    addTurn(group, values, turns);
    if (rows.length < SHOWN_ROWS) rows.push(values);
  }
}

const put = (all: Bytes, block: Bytes, at: number) => copyBytes(all, 0, all.buffer.length, block, at);
