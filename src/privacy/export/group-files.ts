import { FilePacker, type PackedFile } from '../../platform/zip/packed-file.js';
import { addTurn } from './account-sections.js';
import { csvCell, jsonCell } from './cell.js';
import type { Charts } from './charts.js';
import type { Group } from './groups.js';
import type { PackageColumn } from './package-tables.js';
import { type Preview, SHOWN_ROWS } from './page.js';
import type { Values } from './read-rows.js';

/** The two files of a group, as they come to be row by row, and what the page shows of them. */
export class GroupFiles {
  readonly preview: Preview;
  readonly #group: Group;
  /** Where the columns of the group stand in a row. */
  readonly #places: readonly number[];
  readonly #names: readonly string[];
  readonly #json: FilePacker;
  readonly #csv: FilePacker;
  readonly #chart: ((values: Values) => void) | undefined;
  #rows = 0;

  /** `read`: the columns that rows come with. */
  constructor(group: Group, read: readonly PackageColumn[], charts: Charts) {
    const names = group.columns.map(({ column_name }) => column_name);
    this.#group = group;
    this.#places = group.columns.map((column) => read.indexOf(column));
    this.#names = names.map((name) => `${JSON.stringify(name)}:`);
    this.#chart = charts.reader(group);
    this.preview = { group, rows: [], more: 0, turns: new Map() };
    this.#json = new FilePacker(`${group.path}.json`);
    this.#csv = new FilePacker(`${group.path}.csv`);
    // Short of a block: nothing to wait for.
    void this.#csv.write(`${names.join(',')}\r\n`);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Where it returns a promise, no row is to be added before that has settled. */
  add(row: Values): Promise<unknown> | undefined {
    this.#rows += 1;
    const values = this.#places.map((place) => row[place]);
    addTurn(this.#group, values, this.preview.turns);
    this.#chart?.(values);
    if (this.#rows <= SHOWN_ROWS) this.preview.rows.push(values);
    else this.preview.more += 1;
    const json = this.#json.write(`${this.#rows === 1 ? '[' : ','}\n${this.#jsonRow(values)}`);
    const csv = this.#csv.write(this.#csvRow(values));
    return json === undefined ? csv : csv === undefined ? json : Promise.all([json, csv]);
  }

  async end(): Promise<readonly PackedFile[]> {
    await this.#json.write(this.#rows === 0 ? '[]\n' : '\n]\n');
    return [await this.#json.end(), await this.#csv.end()];
  }

  async discard(): Promise<void> {
    await Promise.all([this.#json.discard(), this.#csv.discard()]);
  }

  #jsonRow(values: Values): string {
    let text = '{';
    this.#group.columns.forEach(({ kind }, at) => {
      const value = values[at];
      if (value === undefined) return;
      text += `${text.length > 1 ? ',' : ''}${this.#names[at]}${value === null ? 'null' : jsonCell(kind, value)}`;
    });
    return `${text}}`;
  }

  #csvRow(values: Values): string {
    let text = '';
    this.#group.columns.forEach(({ kind }, at) => {
      text += `${at > 0 ? ',' : ''}${csvCell(kind, values[at] ?? null)}`;
    });
    return `${text}\r\n`;
  }
}
