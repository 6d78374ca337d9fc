import type { Language } from '../../evidence/index.js';
import { whyWithheld } from './groups.js';
import type { Origin, PackageTable } from './package-tables.js';
import type { Preview } from './page.js';
import type { MeasuredPlace } from './residency.js';

/** What a package is, before anything of it is read. */
export interface PackageFacts {
  /** Whom it is about: the id of the account, or of the child. */
  readonly person: string;
  readonly subject_kind: 'user' | 'child';
  /** The number of the request that it answers. */
  readonly request: string;
  /** Portability takes what the person provided, and that alone (Quebec P-39.1, s. 27). */
  readonly kind: 'access' | 'portability';
  readonly made_at: string;
  readonly language: Language;
  /** IANA zone of the person. */
  readonly zone: string;
  /** Months of the audit log that are in archives and not looked into. */
  readonly archived_months: readonly string[];
  /** Where it lay when it was made: what was measured, and nothing else. */
  readonly residency: readonly MeasuredPlace[];
}

/** A file of a package as it was written. */
export interface WrittenFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface Manifest extends PackageFacts {
  readonly format: 'nestsync-export/1';
  readonly files: readonly (WrittenFile & {
    readonly rows?: number;
    readonly table?: string;
    readonly origin?: Origin;
  })[];
  readonly tables: readonly ManifestTable[];
  /** Tables in which nothing is about the person. */
  readonly empty: readonly string[];
  readonly severances: readonly { table: string; column: string; alias: string; times: number }[];
}

export interface ManifestTable {
  readonly table: string;
  readonly rows: number;
  readonly withheld_columns: readonly { column: string; why: string }[];
  readonly withheld_rows: readonly { rows: number; why: string }[];
  /** Rows about others alone that the person entered. */
  readonly entered: number;
}

export const WHY_ROWS = {
  of_children: 'about a child: given to whoever is recorded as its guardian',
  of_others: 'about others of a household that the person is or was in, or looked after (PIPEDA s. 9(1))',
} as const;

export function manifestOf(made: {
  readonly facts: PackageFacts;
  readonly tables: readonly PackageTable[];
  readonly previews: readonly Preview[];
  readonly files: readonly WrittenFile[];
  readonly tally: ReadonlyMap<
    string,
    { table: string; column: string; aliases: ReadonlyMap<string, number> }
  >;
}): Manifest {
  const { facts, tables, previews, files, tally } = made;
  return {
    format: 'nestsync-export/1',
    ...facts,
    files: files.map((file) => {
      const of = previews.find(
        ({ group: { path } }) => file.path === `${path}.json` || file.path === `${path}.csv`,
      );
      if (of === undefined) return { ...file };
      return { ...file, rows: of.count, table: of.group.table.table, origin: of.group.origin };
    }),
    tables: tables.filter(isTold).map(describeTable),
    empty: tables.filter((table) => !isTold(table)).map(({ table }) => table),
    severances: [...tally.values()].flatMap(({ table, column, aliases }) =>
      [...aliases].map(([alias, times]) => ({ table, column, alias, times })),
    ),
  };
}

/** What is said of a package as a whole: files, its manifest among them, rows, and places where others were replaced. */
export function totalsOf({ files, tables, severances }: Manifest) {
  return {
    files: files.length + 1,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    severances: severances.reduce((sum, { times }) => sum + times, 0),
  };
}

const isTold = ({ given, of_children, of_others, entered }: PackageTable) =>
  given + of_children + of_others + entered > 0;

export function describeTable(table: PackageTable): ManifestTable {
  return {
    table: table.table,
    rows: table.given,
    withheld_columns: table.columns.flatMap((column) => {
      const why = whyWithheld(column);
      return why === undefined ? [] : [{ column: column.column_name, why }];
    }),
    withheld_rows: (['of_children', 'of_others'] as const).flatMap((kind) =>
      table[kind] > 0 ? [{ rows: table[kind], why: WHY_ROWS[kind] }] : [],
    ),
    entered: table.entered,
  };
}
