import type { Origin, PackageColumn, PackageTable } from './package-tables.js';

/** Where things come from, in the order in which a package has them; portability takes the first (Quebec P-39.1, s. 27). */
export const ORIGINS: readonly Origin[] = ['provided', 'reported', 'observed', 'inferred', 'assigned'];

/** Columns of a table that came in one way, behind those of its key by which its parts go together again. */
export interface Group {
  readonly origin: Origin;
  readonly table: PackageTable;
  readonly columns: readonly PackageColumn[];
  /** Without its ending: provided/usage_logs. */
  readonly path: string;
}

/** The files of a table: one for each way in which its columns came; of a portable package that which was provided. */
export function groupsOf(table: PackageTable, kind: 'access' | 'portability' = 'access'): Group[] {
  if (table.account !== undefined) {
    if (kind === 'portability') return [];
    return [{ origin: 'account', table, columns: table.columns, path: `account/${table.account}` }];
  }
  const exported = table.columns.filter((column) => column.exported);
  const key = exported.filter((column) => column.in_key);
  return (kind === 'portability' ? ORIGINS.slice(0, 1) : ORIGINS).flatMap((origin) => {
    const columns = exported.filter((column) => column.origin === origin && !key.includes(column));
    // The key alone is told with whatever else there is, or by itself where there is nothing else.
    const alone = origin === 'assigned' && key.length > 0 && key.length === exported.length;
    if (columns.length === 0 && !alone) return [];
    return [{ origin, table, columns: [...key, ...columns], path: `${origin}/${fileName(table.table)}` }];
  });
}

/** Tables of public go by their name alone. */
const fileName = (table: string) => table.replace(/^public\./, '');

/** Why a column is not in the package; undefined where it is. */
export function whyWithheld({ exported, withheld, whose }: PackageColumn): string | undefined {
  if (exported) return undefined;
  if (withheld !== null) return withheld;
  return whose === 'other' ? 'another person’s (PIPEDA s. 9(1))' : 'says nothing of anybody';
}
