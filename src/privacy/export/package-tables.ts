import sql from 'sql-template-tag';
import type { Words } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { checkMap } from '../map/check-map.js';
import { type AccountName, readAccounts } from './accounts.js';
import type { PackageSubject } from './exportable-request.js';

/** Where a column comes from, as the data map has it; account: put together for the package. */
export type Origin = 'provided' | 'reported' | 'observed' | 'inferred' | 'assigned' | 'account';
/** How the values of a column are written. */
export type Kind =
  | 'array'
  | 'json'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'time'
  | 'date'
  | 'interval'
  | 'uuid'
  | 'text';

/** A column with its answer in the data map. */
export interface PackageColumn {
  readonly column_name: string;
  readonly whose: 'subject' | 'joint' | 'other' | 'operational';
  readonly subject: string | null;
  readonly category: string | null;
  readonly origin: Origin | null;
  readonly exported: boolean;
  readonly withheld: string | null;
  /** Its type, as SQL. */
  readonly spelled: string;
  readonly kind: Kind;
  /** Whether its values may name somebody: text that was typed, JSON, ids. */
  readonly free: boolean;
  readonly in_key: boolean;
  /** Of an account: what it says, and the words of a list that stand in it. */
  readonly about?: Words | undefined;
  readonly codes?: Readonly<Record<string, Words>> | undefined;
}

/** A table that a package draws on. */
export interface PackageTable {
  readonly table: string;
  /** Where it is no table, but put together for the package. */
  readonly account?: AccountName;
  readonly columns: readonly PackageColumn[];
  /** Rows that the package holds. */
  readonly given: number;
  /** Rows of a household of the person's that are about children whom the person does not stand for. */
  readonly of_children: number;
  /** Other rows of a household that the person is, or was, in. */
  readonly of_others: number;
  /** Rows of strangers that the person entered. */
  readonly entered: number;
}

/**
 * The tables of a package, as the data map has it, and its accounts. Throws `map_incomplete` where a table or column does not
 * answer, `not_readable` where rows could be hidden, `no_grant` without a grant for this very person or the child's family.
 */
export async function readPackageTables(session: Session, of: PackageSubject): Promise<PackageTable[]> {
  const { kind, id } = of;
  type Row = Omit<PackageTable, 'table'> & { readonly table_name: string; readonly unread: string | null };
  const rows = await session.query<Row>(sql`
    select table_name, columns, given::float8 as given, of_children::float8 as of_children, of_others::float8 as of_others, entered::float8 as entered, unread
    from privacy.package_tables(${id}::uuid, ${kind})`);
  const unread = rows.find((row) => row.unread !== null);
  if (unread !== undefined) {
    throw new NestctlError(`${unread.table_name} could not be read: ${unread.unread}.`, {
      kind: 'conflict',
      code: 'not_readable',
      hint: 'A package that lacks rows without saying so is worse than none.',
      next: 'nestctl doctor',
    });
  }
  const tables = rows.map(({ table_name, unread, ...rest }) => ({ table: table_name, ...rest }));
  return [...tables, ...(await readAccounts(session, of))];
}

/** Throws `map_incomplete` unless every column of every table answers in the data map, and all of it could be checked. */
export async function requireMap(session: Session): Promise<void> {
  const { findings } = await checkMap(session);
  const wrong = findings.filter(({ level }) => level === 'error' || level === 'unknown');
  if (wrong.length === 0) return;
  const named = wrong.map(({ object, detail }) => (object === null ? detail : `${object}: ${detail}`));
  throw new NestctlError(`The data map does not answer for everything: ${named.slice(0, 3).join('; ')}.`, {
    kind: 'conflict',
    code: 'map_incomplete',
    hint: 'What it does not know of could be missing from a package, or be another person’s.',
    next: 'nestctl datamap check',
  });
}
