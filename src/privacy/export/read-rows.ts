import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { databaseError } from '../../platform/database/errors.js';
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
  const names = columns.map((column) => column.column_name);
  const cells = columns.map((column) => cellOf(column, severer));
  const list = `array[${names.map(literal).join(', ')}]::text[]`;
  const source = account === undefined ? 'package_rows' : 'package_account';
  // Neither mark occurs in JSON, so that its lines come as they are.
  const stream = session.client.query(
    copyTo(
      `copy (select privacy.${source}(${literal(id)}::uuid, ${literal(table)}, ${list}, ${literal(kind)})) to stdout (format csv, quote E'\\x01', delimiter E'\\x02')`,
    ),
  );
  try {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() as string;
      yield lines.map((line) => severRow(line, cells));
    }
  } catch (error) {
    throw databaseError(error, session.target);
  } finally {
    // Whoever stops reading leaves the connection in the middle of a COPY otherwise.
    stream.destroy();
  }
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

function severRow(line: string, cells: readonly Cell[]): PackageRow {
  const [given, ...texts] = JSON.parse(line) as [number, ...(string | null)[]];
  let severed: { column: string; aliases: readonly string[] }[] | undefined;
  const values = cells.map(({ column, needs, own, sever }, at) => {
    if ((given & needs) === 0) return undefined;
    const text = texts[at] as string | null;
    if (text === null || sever === undefined || (given & own) > 0) return text;
    const { text: without, aliases } = sever(text);
    if (aliases.length > 0) {
      severed ??= [];
      severed.push({ column, aliases });
    }
    return without;
  });
  return { values, severed: severed ?? NOTHING };
}
