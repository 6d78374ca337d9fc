import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';

export const COMMANDS = ['select', 'insert', 'update', 'delete'] as const;
export type TableCommand = (typeof COMMANDS)[number];

export interface PolicyFacts {
  readonly name: string;
  readonly permissive: boolean;
  readonly command: TableCommand | 'all';
  /** `public` stands for everybody. */
  readonly roles: readonly string[];
  /** Whether it is for the role, by itself or as a member of one it is for. */
  readonly for_role: boolean;
  readonly using: string | null;
  readonly check: string | null;
}

export interface ColumnFacts {
  readonly name: string;
  readonly select: boolean;
  readonly insert: boolean;
  readonly update: boolean;
}

/** What the catalogue says of a table and of one role's rights on it. */
export interface TableFacts {
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  readonly kind: string;
  readonly row_security: boolean;
  readonly forced: boolean;
  readonly role: string;
  readonly superuser: boolean;
  readonly bypassrls: boolean;
  /** Whether the role is the owner or a member of it. */
  readonly owns: boolean;
  readonly schema_usage: boolean;
  /** On the whole table. */
  readonly rights: Readonly<Record<TableCommand, boolean>>;
  readonly columns: readonly ColumnFacts[];
  readonly key: readonly string[];
  readonly policies: readonly PolicyFacts[];
  /** Triggers of users, by command. */
  readonly triggers: readonly {
    readonly name: string;
    readonly command: TableCommand;
    readonly before: boolean;
  }[];
}

/** The path under which names in policies are whole, as the database's own functions see them. */
export const PINNED_PATH = 'pg_catalog, pg_temp';

/**
 * Reads them, and leaves the transaction's search path pinned, so that the text of policies is the same wherever it
 * is read. Throws `not_found` for a table or role that is not there, `usage` for what has no policies of its own.
 */
export async function readTableFacts(
  connection: Connection,
  table: string,
  role: string,
): Promise<TableFacts> {
  const [found] = await connection.query<{ oid: string; kind: string; role: string | null }>(sql`
    select c.oid::text, c.relkind as kind, (select r.oid::text from pg_catalog.pg_roles r where r.rolname = ${role}) as role
    from pg_catalog.pg_class c where c.oid = to_regclass(${table})`);
  if (found === undefined) {
    throw new NestctlError(`There is no table ${table}.`, {
      kind: 'not_found',
      code: 'table_missing',
      hint: 'Outside public, name its schema too: --table schema.table',
    });
  }
  if (found.role === null)
    throw new NestctlError(`There is no role ${role}.`, { kind: 'not_found', code: 'role_missing' });
  if (found.kind !== 'r' && found.kind !== 'p') {
    throw new NestctlError(`${table} is no table: it has no policies of its own.`, {
      kind: 'usage',
      code: 'not_a_table',
      hint: 'Name the table that it reads.',
    });
  }
  await connection.query(sql`select set_config('search_path', ${PINNED_PATH}, true)`);
  const { facts } = await connection.one<{ facts: TableFacts }>(sql`
    select jsonb_build_object(
      'schema', n.nspname, 'table', c.relname, 'owner', pg_get_userbyid(c.relowner), 'kind', c.relkind,
      'row_security', c.relrowsecurity, 'forced', c.relforcerowsecurity,
      'role', r.rolname, 'superuser', r.rolsuper, 'bypassrls', r.rolbypassrls, 'owns', pg_has_role(r.oid, c.relowner, 'USAGE'),
      'schema_usage', has_schema_privilege(r.oid, n.oid, 'USAGE'),
      'rights', (select jsonb_object_agg(p, has_table_privilege(r.oid, c.oid, p)) from unnest(${[...COMMANDS]}::text[]) p),
      'columns', (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
          'select', has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT'),
          'insert', has_column_privilege(r.oid, c.oid, a.attnum, 'INSERT'),
          'update', has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE')) order by a.attnum), '[]')
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      'key', (select coalesce(jsonb_agg(a.attname order by array_position(i.indkey::int2[], a.attnum)), '[]')
        from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
        where i.indrelid = c.oid and i.indisprimary),
      'policies', (select coalesce(jsonb_agg(jsonb_build_object('name', p.polname, 'permissive', p.polpermissive,
          'command', case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
          'roles', array(select case g when 0 then 'public' else pg_get_userbyid(g) end from unnest(p.polroles) g order by 1),
          'for_role', exists (select from unnest(p.polroles) g where g = 0 or pg_has_role(r.oid, g, 'USAGE')),
          'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname), '[]')
        from pg_policy p where p.polrelid = c.oid),
      'triggers', (select coalesce(jsonb_agg(jsonb_build_object('name', t.tgname, 'command', e.command, 'before', t.tgtype & 2 <> 0) order by t.tgname), '[]')
        from pg_trigger t, (values ('insert', 4), ('delete', 8), ('update', 16)) e (command, bit)
        where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D' and t.tgtype::int & e.bit <> 0)) as facts
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, pg_roles r
    where c.oid = ${found.oid}::oid and r.oid = ${found.role}::oid`);
  return facts;
}
