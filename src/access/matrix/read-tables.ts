import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { COMMANDS, PINNED_PATH, type TableFacts } from '../explain/table-facts.js';

/** A table of the matrix: what its policies and rights are, and whose its rows are. */
export interface MatrixTable extends TableFacts {
  /** Whether its rows are about people, by a column user_id or as people themselves. */
  readonly personal: boolean;
  /** Columns that the sample rows leave empty. */
  readonly unsampled: readonly string[];
}

/** What private.sample_rows fills in. */
const SAMPLED = [
  'family_id',
  'user_id',
  'id',
  'created_by',
  'logged_at',
  'occurred_at',
  'created_at',
] as const;

/**
 * The tables whose rows belong to families or people, in their order, with what decides about a role. Rights count
 * where one column has them. Leaves the transaction's search path pinned.
 */
export async function readTables(connection: Connection, role: string): Promise<MatrixTable[]> {
  await connection.query(sql`select set_config('search_path', ${PINNED_PATH}, true)`);
  return (
    await connection.query<{ facts: MatrixTable }>(sql`
    select jsonb_build_object(
      'schema', n.nspname, 'table', c.relname, 'owner', pg_get_userbyid(c.relowner), 'kind', c.relkind,
      'row_security', c.relrowsecurity, 'forced', c.relforcerowsecurity,
      'role', r.rolname, 'superuser', r.rolsuper, 'bypassrls', r.rolbypassrls, 'owns', pg_has_role(r.oid, c.relowner, 'USAGE'),
      'schema_usage', has_schema_privilege(r.oid, n.oid, 'USAGE'),
      'rights', (select jsonb_object_agg(p, case when p = 'delete' then has_table_privilege(r.oid, c.oid, p) else has_any_column_privilege(r.oid, c.oid, p) end)
        from unnest(${[...COMMANDS]}::text[]) p),
      'personal', c.relname = 'users' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'user_id'),
      'unsampled', (select coalesce(jsonb_agg(a.attname), '[]') from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
        and not a.attisdropped and a.attname <> all (${[...SAMPLED]}::name[])),
      'columns', '[]'::jsonb, 'key', '[]'::jsonb, 'triggers', '[]'::jsonb,
      'policies', (select coalesce(jsonb_agg(jsonb_build_object('name', p.polname, 'permissive', p.polpermissive,
          'command', case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
          'roles', '[]'::jsonb,
          'for_role', exists (select from unnest(p.polroles) g where g = 0 or pg_has_role(r.oid, g, 'USAGE')),
          'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname), '[]')
        from pg_policy p where p.polrelid = c.oid)) as facts
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_roles r
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and r.rolname = ${role}
      and (c.relname in ('families', 'users') or exists (select from pg_attribute a
        where a.attrelid = c.oid and a.attname in ('family_id', 'user_id') and a.attnum > 0 and not a.attisdropped))
    order by c.relname <> 'families', exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'family_id') desc, c.oid`)
  ).map(({ facts }) => facts);
}
