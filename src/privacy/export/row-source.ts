import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import type { PackageColumn, PackageTable } from './package-tables.js';
import { type PackageRow, readRows } from './read-rows.js';
import type { Severer } from './sever.js';

/** Tables of no more rows together are read once for all their files; a longer one for each, so that memory does not grow. */
const HELD_ROWS = 2000;

/** Where the files of a package get their rows: again and again, always the same, in the snapshot at hand. */
export class RowSource {
  readonly #session: Session;
  readonly #subject: PackageSubject;
  readonly #severer: Severer;
  readonly #held = new Map<PackageTable, readonly PackageRow[]>();
  #heldRows = 0;

  constructor(session: Session, subject: PackageSubject, severer: Severer) {
    this.#session = session;
    this.#subject = subject;
    this.#severer = severer;
  }

  async *rows(table: PackageTable, columns: readonly PackageColumn[]): AsyncGenerator<PackageRow> {
    if (table.given > HELD_ROWS) {
      yield* readRows(this.#session, this.#subject, table, columns, this.#severer);
      return;
    }
    const all = table.columns.filter(({ exported }) => exported);
    const held = this.#held.get(table) ?? (await this.#hold(table, all));
    const at = columns.map((column) => all.indexOf(column));
    const names = new Set(columns.map(({ column_name }) => column_name));
    for (const { values, severed } of held) {
      yield {
        values: at.map((place) => values[place]),
        severed: severed.filter(({ column }) => names.has(column)),
      };
    }
  }

  async #hold(table: PackageTable, columns: readonly PackageColumn[]): Promise<readonly PackageRow[]> {
    for (const [oldest, { length }] of this.#held) {
      if (this.#heldRows + table.given <= HELD_ROWS) break;
      this.#held.delete(oldest);
      this.#heldRows -= length;
    }
    const rows: PackageRow[] = [];
    for await (const row of readRows(this.#session, this.#subject, table, columns, this.#severer))
      rows.push(row);
    this.#held.set(table, rows);
    this.#heldRows += rows.length;
    return rows;
  }
}
