import { FilePacker, type PackedFile } from '../../platform/zip/packed-file.js';
import { addTurn } from './account-sections.js';
import { csvCell, jsonCell } from './cell.js';
import type { Group } from './groups.js';
import type { Kind, PackageColumn } from './package-tables.js';
import { type Preview, SHOWN_ROWS } from './page.js';
import type { Values } from './read-rows.js';

interface Column {
  readonly kind: Kind;
  /** Where it stands in a row as it is read. */
  readonly place: number;
  /** As it stands in JSON. */
  readonly name: string;
}

/** The two files of a group, as they come to be row by row, and what the page shows of them. */
export class GroupFiles {
  readonly preview: Preview;
  readonly #columns: readonly Column[];
  readonly #json: FilePacker;
  readonly #csv: FilePacker;

  /** `read`: the columns that rows come with. */
  constructor(group: Group, read: readonly PackageColumn[]) {
    this.#columns = group.columns.map((column) => ({
      ...{ kind: column.kind, place: read.indexOf(column), name: `${JSON.stringify(column.column_name)}:` },
    }));
    this.preview = { group, rows: [], count: 0, turns: new Map() };
    this.#json = new FilePacker(`${group.path}.json`);
    this.#csv = new FilePacker(`${group.path}.csv`);
    // Short of a block: nothing to wait for.
    void this.#csv.write(`${group.columns.map(({ column_name }) => column_name).join(',')}\r\n`);
  }

  /** Where it returns a promise, no row is to be added before that has settled. */
  add(row: Values): Promise<unknown> | undefined {
    this.#show(row);
    let json = this.preview.count === 1 ? '[\n{' : ',\n{';
    let csv = '';
    let first = true;
    for (let at = 0; at < this.#columns.length; at += 1) {
      const { kind, place, name } = this.#columns[at] as Column;
      const value = row[place];
      if (value !== undefined) {
        json += `${first ? '' : ','}${name}${value === null ? 'null' : jsonCell(kind, value)}`;
        first = false;
      }
      csv += `${at === 0 ? '' : ','}${csvCell(kind, value ?? null)}`;
    }
    const [one, other] = [this.#json.write(`${json}}`), this.#csv.write(`${csv}\r\n`)];
    return one === undefined ? other : other === undefined ? one : Promise.all([one, other]);
  }

  async end(): Promise<readonly PackedFile[]> {
    await this.#json.write(this.preview.count === 0 ? '[]\n' : '\n]\n');
    return [await this.#json.end(), await this.#csv.end()];
  }

  async discard(): Promise<void> {
    await Promise.all([this.#json.discard(), this.#csv.discard()]);
  }

  #show(row: Values): void {
    const { group, rows, turns } = this.preview;
    this.preview.count += 1;
    if (rows.length === SHOWN_ROWS && group.table.account === undefined) return;
    const values = this.#columns.map(({ place }) => row[place]);
    addTurn(group, values, turns);
    if (rows.length < SHOWN_ROWS) rows.push(values);
  }
}
