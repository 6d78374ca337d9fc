import pg from 'pg';
import { copyText } from '../../platform/database/copy-text.js';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import type { PackageColumn, PackageTable } from './package-tables.js';
import type { Severed, Severer } from './sever.js';

/** As PostgreSQL prints them; undefined: not this person's to be given. */
export type Values = readonly (string | null | undefined)[];

/** One row as the package holds it. */
export interface PackageRow {
  /** In the order that was asked for. */
  readonly values: Values;
  /** By column: what stands there for others. */
  readonly severed: readonly { readonly column: string; readonly aliases: readonly string[] }[];
}

const literal = pg.escapeLiteral;
/** In which rights a row must be the person's for a column about this subject to be given: as private.package_needs. */
const NEEDS: Readonly<Record<string, number>> = { account: 1, child: 4, household: 7, author: 7, request: 5 };

/** The rows of a table, others severed from them, some at a time as they come from the server. Within a transaction of one snapshot. */
export async function* readRows(
  session: Session,
  { kind, id }: PackageSubject,
  { table, account }: PackageTable,
  columns: readonly PackageColumn[],
  severer: Severer,
): AsyncGenerator<readonly PackageRow[]> {
  const names = columns.map(({ column_name }) => literal(column_name)).join(', ');
  const typed = columns.map((_, at) => `"${at}" text`).join(', ');
  const cells = columns.map((column) => cellOf(column, severer));
  const source = account === undefined ? 'package_rows' : 'package_account';
  const called = `privacy.${source}(${literal(id)}::uuid, ${literal(table)}, array[${names}]::text[], ${literal(kind)})`;
  for await (const rows of copyText(session, `select * from ${called} as t (given integer, ${typed})`))
    yield rows.map((row) => severRow(row, cells));
}

/** How the values of a column become those of the package. */
interface Cell {
  readonly column: string;
  /** In one of which rights a row must be the person's. */
  readonly needs: number;
  /** In which rights it is the person's own, and stays as it is. */
  readonly own: number;
  readonly sever: ((text: string) => Severed) | undefined;
}

function cellOf(column: PackageColumn, severer: Severer): Cell {
  const { column_name, subject, kind, free } = column;
  const sever =
    kind === 'uuid'
      ? (text: string) => (subject === 'author' ? severer.id(text) : severer.anyId(text))
      : (text: string) => (kind === 'json' || kind === 'array' ? severer.json(text) : severer.text(text));
  return {
    column: column_name,
    needs: NEEDS[subject ?? ''] ?? 0,
    own: ownIn(column),
    sever: free ? sever : undefined,
  };
}

/** What the person, or a child that they stand for, is called and where they are reached stays, whoever is called the same. */
function ownIn({ subject, category, kind, whose }: PackageColumn): number {
  if (whose !== 'subject' || kind === 'json' || (category !== 'identity' && category !== 'contact')) return 0;
  return subject === 'account' ? 1 : subject === 'child' ? 4 : 0;
}

const NOTHING: PackageRow['severed'] = [];

function severRow(row: readonly (string | null)[], cells: readonly Cell[]): PackageRow {
  const given = Number(row[0]);
  const values = new Array<string | null | undefined>(cells.length);
  let severed: { column: string; aliases: readonly string[] }[] | undefined;
  for (let at = 0; at < cells.length; at += 1) {
    const { column, needs, own, sever } = cells[at] as Cell;
    if ((given & needs) === 0) continue;
    const text = row[at + 1] as string | null;
    values[at] = text;
    if (text === null || sever === undefined || (given & own) > 0) continue;
    const without = sever(text);
    if (without.aliases.length === 0) continue;
    values[at] = without.text;
    severed ??= [];
    severed.push({ column, aliases: without.aliases });
  }
  return { values, severed: severed ?? NOTHING };
}
