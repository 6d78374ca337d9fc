import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';
import { whyWithheld } from './groups.js';
import type { PackageColumn, PackageTable } from './package-tables.js';
import type { WhyBeyond, WhyUnseen } from './view-words.js';

/** Rows that are in one of the two views alone, with one reason. */
export interface ViewDifference<Why extends string> {
  readonly rows: number;
  readonly why: Why;
  /** Of a family's rows the family, for whoever mends it; null where they belong to none. */
  readonly family: string | null;
}

/** A table in both views: what the package gives of it, and what the app shows of it to the person. */
export interface TableViews {
  readonly table: string;
  /** rows: those that row security lets through; view: shown as a whole, made of other tables; none: the app shows none of it. */
  readonly app: 'rows' | 'view' | 'none';
  readonly given: number;
  /** null for a view that shows what the reader sees in its tables anyway. */
  readonly seen: number | null;
  readonly unseen: readonly ViewDifference<WhyUnseen>[];
  readonly beyond: readonly ViewDifference<WhyBeyond>[];
  readonly columns: {
    /** Given, and not among what the role of members may read. */
    readonly unseen: readonly string[];
    /** Shown, and in no row of the package. */
    readonly beyond: readonly { readonly column: string; readonly why: string }[];
    /** Shown in all these rows, and left out in them, though given in others. */
    readonly partly: readonly { readonly column: string; readonly rows: number }[];
  };
}

interface Found {
  readonly table: string;
  readonly app: TableViews['app'];
  readonly columns: readonly (PackageColumn & { readonly granted: boolean })[];
  readonly given: number | null;
  readonly seen: number | null;
  /** By whose a column is: rows of both views in which it is left out. */
  readonly partly: Readonly<Record<string, number>> | null;
  readonly differences: readonly ({ readonly side: 'unseen' | 'beyond' } & ViewDifference<string>)[] | null;
}

/** Puts it on record that somebody asks what a person sees of their account; to be committed before the answer is read. */
export async function askViews(session: Session, person: string): Promise<string> {
  const key = JSON.stringify({ id: person });
  const { id } = await session.one<{ id: string }>(
    sql`select ops.ask_why(${person}::uuid, 'public.users', ${key}::jsonb, 'select') as id`,
  );
  return id;
}

/**
 * What an account is given of each table against what it sees, in the snapshot at hand, within two minutes of the question.
 * Throws `no_grant` where that was not committed, or is not the session's.
 */
export async function compareViews(
  session: Session,
  { id }: PackageSubject,
  question: string,
  tables: readonly PackageTable[],
): Promise<TableViews[]> {
  const found = await session.query<Found>(sql`
    select table_name as table, app, columns, given::float8 as given, seen::float8 as seen, partly, differences
    from privacy.package_views(${id}::uuid, ${question}::uuid)`);
  const accounts = tables.filter(({ account }) => account !== undefined);
  return [...found.map(viewsOf), ...accounts.map(viewsOfAccount)];
}

function viewsOf({ table, app, columns, given, seen, partly, differences }: Found): TableViews {
  const on = (wanted: 'unseen' | 'beyond') =>
    (differences ?? []).flatMap(({ side, ...difference }) => (side === wanted ? [difference] : []));
  const [gives, shows] = [app === 'rows' && (given ?? 0) > 0, app === 'rows' && (seen ?? 0) > 0];
  return {
    ...{ table, app, given: given ?? 0, seen: app === 'view' ? seen : (seen ?? 0) },
    unseen: on('unseen') as readonly ViewDifference<WhyUnseen>[],
    beyond: on('beyond') as readonly ViewDifference<WhyBeyond>[],
    columns: {
      unseen: columns
        .filter(({ exported, granted }) => gives && exported && !granted)
        .map(({ column_name }) => column_name),
      beyond: columns.flatMap((column) => {
        const why = shows && column.granted ? whyWithheld(column) : undefined;
        return why === undefined ? [] : [{ column: column.column_name, why }];
      }),
      partly: columns.flatMap(({ column_name: column, exported, granted, subject }) => {
        const rows = exported && granted ? (partly?.[subject ?? ''] ?? 0) : 0;
        return rows === 0 ? [] : [{ column, rows }];
      }),
    },
  };
}

/** Put together for the package alone. */
function viewsOfAccount({ table, given }: PackageTable): TableViews {
  const unseen = given === 0 ? [] : [{ rows: given, why: 'not_in_app' as const, family: null }];
  return {
    ...{ table, app: 'none', given, seen: 0, unseen, beyond: [] },
    columns: { unseen: [], beyond: [], partly: [] },
  };
}
