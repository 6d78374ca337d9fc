import { qualified } from '../../audit/index.js';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import type { ColumnAnswer, TablePath } from './answer.js';

export interface DataMap {
  /** In the order of tables, and in each of its columns. */
  readonly answers: readonly ColumnAnswer[];
  readonly paths: readonly TablePath[];
}

/** The data map, or of it one table. Throws `not_mapped` for a table that it does not know. */
export async function showMap(
  connection: Connection,
  options: { readonly table?: string | undefined } = {},
): Promise<DataMap> {
  const only = options.table === undefined ? null : qualified(options.table);
  // By name: a duty has no right to look up tables in every schema.
  const answers = await connection.query<ColumnAnswer>(
    `select a.table_name as table, a.column_name as column, a.whose, a.subject, a.category, a.origin, a.purpose, a.retention, a.erasure,
       a.anonymized_as, a.obligation, a.exported, a.withheld
     from privacy.column_answers a
       left join (
         select n.nspname || '.' || c.relname as name, t.attname, t.attnum
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
         where c.relkind in ('r', 'p', 'm', 'f')) now on now.name = a.table_name and now.attname = a.column_name
     where $1::text is null or a.table_name = $1
     order by a.table_name collate "C", now.attnum nulls last, a.column_name collate "C"`,
    [only],
  );
  if (only !== null && answers.length === 0) {
    throw new NestctlError(`The data map knows no table ${only}.`, {
      kind: 'not_found',
      code: 'not_mapped',
      hint: 'Tables of public need no schema: usage_logs. Others do: ops.access_grants.',
      next: 'nestctl datamap check',
    });
  }
  const paths = await connection.query<TablePath>(
    `select p.table_name as table, p.path, p.via, p.subject, p.whose, p.columns, p.to_table, p.to_columns, p.compares
     from privacy.paths p where $1::text is null or p.table_name = $1
     order by p.table_name collate "C", p.via = 'link', p.path collate "C"`,
    [only],
  );
  return { answers, paths };
}
