import pg from 'pg';
import { collectBuffers } from '../../platform/collect-garbage.js';
import { copyLines } from '../../platform/database/copy-lines.js';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import type { PackageColumn, PackageTable } from './package-tables.js';

const literal = pg.escapeLiteral;
/** A page has so many bytes, more or less, and not more rows than keep the server from its next for long. */
const PAGE_BYTES = 1024 * 1024;
const [FIRST_ROWS, MOST_ROWS] = [500, 5_000];
/** Of a page that is larger than the one before let expect, so much is held; the rest waits on the server. */
const HELD_BYTES = 4 * PAGE_BYTES;

interface Page {
  readonly lines: readonly Buffer[];
  readonly bytes: number;
  /** What is not held, if that is not all. */
  readonly rest: AsyncGenerator<Buffer> | undefined;
}

/**
 * The rows of a table in the text format of COPY: the rights in which each is the person's, and these columns. Within a
 * transaction of one snapshot. The server puts a page together while the one before is worked on.
 */
export async function* packageLines(
  session: Session,
  { kind, id }: PackageSubject,
  { table, account }: PackageTable,
  columns: readonly PackageColumn[],
): AsyncGenerator<Buffer> {
  const names = columns.map(({ column_name }) => literal(column_name)).join(', ');
  const asked = `(${literal(id)}::uuid, ${literal(table)}, array[${names}]::text[], ${literal(kind)})`;
  const row = `t (given integer, ${columns.map((column, at) => `"${at}" ${sentAs(column)}`).join(', ')})`;
  if (account !== undefined) {
    yield* copyLines(session, `select * from privacy.package_account${asked} as ${row}`);
    return;
  }
  await session.query(`select privacy.open_package_rows${asked}`);
  const read = (rows: number): Promise<Page> => {
    const page = pageOf(session, `select * from privacy.next_package_rows(${rows}) as ${row}`);
    // Told where it is waited for.
    page.catch(() => undefined);
    return page;
  };
  let rows = FIRST_ROWS;
  let next = read(rows);
  try {
    for (let page = await next; page.bytes > 0; page = await next) {
      rows = Math.max(1, Math.min(MOST_ROWS, Math.floor((PAGE_BYTES * rows) / page.bytes)));
      if (page.rest === undefined) next = read(rows);
      yield* page.lines;
      if (page.rest !== undefined) {
        yield* page.rest;
        next = read(rows);
      }
      collectBuffers();
    }
  } finally {
    // Of a page that nobody waits for any more: what stopped the reading is told, not this.
    const page = await next.catch(() => undefined);
    await page?.rest?.return(undefined);
  }
}

async function pageOf(session: Session, query: string): Promise<Page> {
  const rest = copyLines(session, query);
  const lines: Buffer[] = [];
  let bytes = 0;
  while (bytes < HELD_BYTES) {
    const { value, done } = await rest.next();
    if (done === true) return { lines, bytes, rest: undefined };
    lines.push(value);
    bytes += value.length;
  }
  return { lines, bytes, rest };
}

/** Ids and whole numbers are told the same by every session, and cost much to be made text of for nothing. */
const ALIKE = new Set(['uuid', 'smallint', 'integer', 'bigint']);

const sentAs = (column: PackageColumn) =>
  isQuoted(column) ? 'json' : ALIKE.has(column.spelled) ? column.spelled : 'text';

/** Whether its values come as JSON has them, in quotes. */
export const isQuoted = ({ kind }: PackageColumn): boolean => kind === 'time';
