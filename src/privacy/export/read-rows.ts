import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { databaseError } from '../../platform/database/errors.js';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import type { PackageColumn, PackageTable } from './package-tables.js';
import type { Severer } from './sever.js';

/** One row as the package holds it. */
export interface PackageRow {
  /** In the order that was asked for, as PostgreSQL prints them; undefined: not this person's to be given. */
  readonly values: readonly (string | null | undefined)[];
  /** By column: what stands there for others. */
  readonly severed: readonly { readonly column: string; readonly aliases: readonly string[] }[];
}

const literal = pg.escapeLiteral;
/** In which rights a row must be the person's for a column about this subject to be given: as private.package_needs. */
const NEEDS: Readonly<Record<string, number>> = { account: 1, child: 4, household: 7, author: 7, request: 5 };

/** The rows of a table, others severed from them, as they come from the server. Within a transaction of one snapshot. */
export async function* readRows(
  session: Session,
  { kind, id }: PackageSubject,
  { table, account }: PackageTable,
  columns: readonly PackageColumn[],
  severer: Severer,
): AsyncGenerator<PackageRow> {
  const names = columns.map((column) => column.column_name);
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
      for (const line of lines) yield severRow(line, columns, severer);
    }
  } catch (error) {
    throw databaseError(error, session.target);
  } finally {
    // Whoever stops reading leaves the connection in the middle of a COPY otherwise.
    stream.destroy();
  }
}

function severRow(line: string, columns: readonly PackageColumn[], severer: Severer): PackageRow {
  const [given, ...texts] = JSON.parse(line) as [number, ...(string | null)[]];
  const severed: { column: string; aliases: readonly string[] }[] = [];
  const values = columns.map((column, at) => {
    if ((given & (NEEDS[column.subject ?? ''] ?? 0)) === 0) return undefined;
    const text = texts[at] as string | null;
    if (text === null || !column.free || isOwn(column, given)) return text;
    const { text: without, aliases } = severValue(column, text, severer);
    if (aliases.length > 0) severed.push({ column: column.column_name, aliases });
    return without;
  });
  return { values, severed };
}

/** What the person, or a child that they stand for, is called and where they are reached stays, whoever is called the same. */
function isOwn({ subject, category, kind, whose }: PackageColumn, given: number): boolean {
  return (
    whose === 'subject' &&
    ((subject === 'account' && (given & 1) > 0) || (subject === 'child' && (given & 4) > 0)) &&
    kind !== 'json' &&
    (category === 'identity' || category === 'contact')
  );
}

function severValue(column: PackageColumn, text: string, severer: Severer) {
  if (column.kind === 'uuid') return column.subject === 'author' ? severer.id(text) : severer.anyId(text);
  return column.kind === 'json' || column.kind === 'array' ? severer.json(text) : severer.text(text);
}
