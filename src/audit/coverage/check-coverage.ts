import type { Session } from '../../platform/database/session.js';

/** A row whose history in the log does not lead to what it holds. */
export interface Uncovered {
  readonly kind: 'never_logged' | 'vanished' | 'reappeared' | 'differs';
  readonly table: string;
  readonly family_id: string | null;
  /** The row's id, or its key joined by "/". */
  readonly record: string;
  /** Of one that differs, where the log tells. */
  readonly columns: readonly string[] | null;
}

export interface TableCoverage {
  readonly table: string;
  readonly rows: number;
  /** Records that the log has events of, deleted ones among them. */
  readonly logged: number;
  /** Rows that were there before the log. */
  readonly before_log: number;
  readonly faults: number;
  /** Audit triggers that are missing or switched off. */
  readonly triggers_off: readonly string[];
}

export interface Coverage {
  readonly tables: readonly TableCoverage[];
  /** The first hundred of each table. */
  readonly uncovered: readonly Uncovered[];
  readonly faults: number;
}

/**
 * Whether everything that changed is in the log: the last image that it has of each row against the row, and the
 * triggers that write it. Throws `duty_not_allowed`, `not_found` for a table that is not captured.
 */
export async function checkCoverage(
  session: Session,
  options: { readonly only?: readonly string[] | undefined; readonly onTable?: (table: string) => void } = {},
): Promise<Coverage> {
  const tables = await session.query<{ oid: string; table: string; triggers_off: string[] }>(
    `select c.oid::text as oid, n.nspname || '.' || c.relname as table, array(
       select wanted from unnest(array['audit_insert', 'audit_update', 'audit_delete']) wanted
       where not exists (select from pg_catalog.pg_trigger g where g.tgrelid = c.oid and g.tgname = wanted and g.tgenabled in ('O', 'A'))) as triggers_off
     from audit.captured_tables t join pg_catalog.pg_class c on c.oid = t.table_name join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where $1::text[] is null or n.nspname || '.' || c.relname = any ($1)
     order by 2`,
    [options.only ?? null],
  );
  const covered: TableCoverage[] = [];
  const uncovered: Uncovered[] = [];
  for (const { oid, table, triggers_off } of tables) {
    options.onTable?.(table);
    const found = await session.one<{
      rows: number;
      logged: number;
      before_log: number;
      faults: number;
      named: Omit<Uncovered, 'table'>[];
    }>(
      `select live::float8 as rows, logged::float8 as logged, before_log::float8 as before_log, faults::float8 as faults, named
       from audit.coverage($1::oid::regclass)`,
      [oid],
    );
    const { named, ...counts } = found;
    covered.push({ table, ...counts, triggers_off });
    uncovered.push(...named.map((one) => ({ ...one, table })));
  }
  return {
    tables: covered,
    uncovered,
    faults: covered.reduce((sum, { faults, triggers_off }) => sum + faults + triggers_off.length, 0),
  };
}
