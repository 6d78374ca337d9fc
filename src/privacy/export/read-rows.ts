import { Bytes } from '../../platform/bytes.js';
import { CopyFields, fieldText, isNull } from '../../platform/database/copy-lines.js';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import { PackageCell } from './package-cell.js';
import { isQuoted, packageLines } from './package-lines.js';
import type { PackageColumn, PackageTable } from './package-tables.js';
import type { Severed, Severer } from './sever.js';

/** A value by the place of its column: as PostgreSQL prints it; undefined: not this person's to be given. */
export type Reading = (at: number) => string | null | undefined;

/** One row as the package holds it, until the next is asked for. */
export interface PackageRow {
  /** In the order that was asked for. */
  readonly cells: readonly PackageCell[];
  readonly text: Reading;
  /** By column: what stands there for others. */
  readonly severed: readonly { readonly column: string; readonly aliases: readonly string[] }[];
}

/** In which rights a row must be the person's for a column about this subject to be given: as private.package_needs. */
const NEEDS: Readonly<Record<string, number>> = { account: 1, child: 4, household: 7, author: 7, request: 5 };

/** The rows of a table, others severed from them, some at a time as they come from the server. Within a transaction of one snapshot. */
export async function* readRows(
  session: Session,
  of: PackageSubject,
  table: PackageTable,
  columns: readonly PackageColumn[],
  severer: Severer,
): AsyncGenerator<Iterable<PackageRow>> {
  const reader = new RowReader(columns, severer);
  for await (const lines of packageLines(session, of, table, columns)) yield reader.rows(lines);
}

/** How the values of a column become those of the package. */
interface Column {
  readonly name: string;
  readonly cell: PackageCell;
  /** In one of which rights a row must be the person's. */
  readonly needs: number;
  /** In which rights it is the person's own, and stays as it is. */
  readonly own: number;
  /** So many bytes of a field stand around its value on either side. */
  readonly inset: number;
  readonly sever: ((lines: Buffer, from: number, to: number, marks: number) => Severed) | undefined;
}

/** Makes rows of the lines of COPY text, severed; each in the place of the one before. */
export class RowReader {
  readonly #columns: readonly Column[];
  readonly #fields: CopyFields;
  readonly #cells: readonly PackageCell[];

  /** The lines have the rights in which a row is the person's, and these columns. */
  constructor(columns: readonly PackageColumn[], severer: Severer) {
    this.#columns = columns.map((column) => ({
      ...{ name: column.column_name, cell: new PackageCell(column.kind) },
      ...{ needs: NEEDS[column.subject ?? ''] ?? 0, own: ownIn(column) },
      inset: isQuoted(column) ? 1 : 0,
      sever: column.free ? severOf(column, severer) : undefined,
    }));
    this.#fields = new CopyFields([0, ...columns.map(({ kind }) => (kind === 'uuid' ? UUID : 0))]);
    this.#cells = this.#columns.map(({ cell }) => cell);
  }

  *rows(lines: Buffer): Generator<PackageRow> {
    const cells = this.#cells;
    const bytes = new Bytes(lines);
    const text: Reading = (at) => cells[at]?.text;
    const row = { cells, text, severed: NOTHING };
    for (let at = 0; at < lines.length; ) {
      at = this.#fields.read(lines, at);
      row.severed = this.#sever(bytes);
      yield row;
    }
  }

  /** Fills the cells; returns where others were replaced. */
  #sever(bytes: Bytes): PackageRow['severed'] {
    const { starts, ends, marks } = this.#fields;
    const lines = bytes.buffer;
    const given = Number(lines.toString('latin1', starts[0], ends[0]));
    let severed: { column: string; aliases: readonly string[] }[] | undefined;
    for (let at = 0; at < this.#columns.length; at += 1) {
      const { name, cell, needs, own, inset, sever } = this.#columns[at] as Column;
      const [from, to, mark] = [starts[at + 1] as number, ends[at + 1] as number, marks[at + 1] as number];
      if ((given & needs) === 0) cell.notGiven();
      else if (isNull(lines, from, to)) cell.null();
      else {
        cell.field(bytes, from + inset, to - inset, mark);
        if (sever === undefined || (given & own) > 0) continue;
        const without = sever(lines, from, to, mark);
        if (without.aliases.length === 0) continue;
        cell.replace(without.text);
        severed ??= [];
        severed.push({ column: name, aliases: without.aliases });
      }
    }
    return severed ?? NOTHING;
  }
}

/** Characters of an id. */
const UUID = 36;
const NOTHING: PackageRow['severed'] = [];

function severOf({ subject, kind }: PackageColumn, severer: Severer): NonNullable<Column['sever']> {
  if (kind === 'uuid') {
    return oncePerRun((id) => (subject === 'author' ? severer.id(id) : severer.anyId(id)));
  }
  const sever = (text: string) =>
    kind === 'json' || kind === 'array' ? severer.json(text) : severer.text(text);
  return (lines, from, to, marks) => sever(fieldText(lines, from, to, marks));
}

/** Row after row has the same family, child and author. */
function oncePerRun(sever: (id: string) => Severed): NonNullable<Column['sever']> {
  let last = Buffer.alloc(0);
  let severed: Severed = { text: '', aliases: [] };
  return (lines, from, to, marks) => {
    if (!isSame(last, lines, from, to)) {
      last = Buffer.from(lines.subarray(from, to));
      severed = sever(fieldText(lines, from, to, marks));
    }
    return severed;
  };
}

function isSame(last: Buffer, lines: Buffer, from: number, to: number): boolean {
  if (last.length !== to - from) return false;
  for (let at = last.length - 1; at >= 0; at -= 1) if (last[at] !== lines[from + at]) return false;
  return true;
}

/** What the person, or a child that they stand for, is called and where they are reached stays, whoever is called the same. */
function ownIn({ subject, category, kind, whose }: PackageColumn): number {
  if (whose !== 'subject' || kind === 'json' || (category !== 'identity' && category !== 'contact')) return 0;
  return subject === 'account' ? 1 : subject === 'child' ? 4 : 0;
}
