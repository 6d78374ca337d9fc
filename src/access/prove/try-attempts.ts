import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { COMMANDS, type TableCommand } from '../explain/table-facts.js';
import type { Attempt, Disagreement, StrayRight } from './attempt.js';
import { type Declaration, NEVER_WRITTEN, RIGHTS, TABLES, type Table } from './declaration.js';

export interface Part {
  /** All where absent. */
  readonly tables?: readonly string[] | undefined;
  readonly commands?: readonly TableCommand[] | undefined;
}

/** Makes the attempts of a part, until so many went otherwise than they should. */
export async function tryAttempts(
  connection: Connection,
  attempts: readonly Attempt[],
  { tables, commands }: Part,
  enough: number,
): Promise<Disagreement[]> {
  const rows = await connection.query<{
    no: number;
    came: string;
    extra: string[] | null;
    missing: string[] | null;
  }>(sql`
    select * from pg_temp.prove_try(${tables ?? null}::text[], ${commands ?? null}::text[], ${enough})`);
  return rows.map(({ no, came, extra, missing }) => ({
    attempt: attempts[no] as Attempt,
    came,
    extra: extra ?? [],
    missing: missing ?? [],
  }));
}

const OUTSIDE = ['anon', 'authenticated'] as const;

/** Rights of members and of the unknown that differ from what the access table gives them. */
export async function strayRights(connection: Connection, declaration: Declaration): Promise<StrayRight[]> {
  const meant = new Set(
    TABLES.flatMap((table) =>
      COMMANDS.filter((command) => declaration.gives(table, command)).map(
        (command) => `authenticated/${table}/${command}`,
      ),
    ),
  );
  const given = await connection.query<StrayRight>(sql`
    select r as role, t as "table", p as "right",
      case when p in ('delete', 'truncate', 'trigger') then has_table_privilege(r, format('public.%I', t), p)
        else has_any_column_privilege(r, format('public.%I', t), p) end as given
    from unnest(${[...OUTSIDE]}::text[]) r, unnest(${[...TABLES]}::text[]) t, unnest(${[...RIGHTS]}::text[]) p`);
  const columns = Object.entries(NEVER_WRITTEN).flatMap(([table, names]) =>
    names.map((name) => [table, name] as const),
  );
  const written = await connection.query<StrayRight>(sql`
    select 'authenticated' as role, t as "table", p || ' of ' || c as "right", true as given
    from unnest(${columns.map(([table]) => table)}::text[], ${columns.map(([, name]) => name)}::text[]) u (t, c),
      unnest(array['insert', 'update']) p
    where has_column_privilege('authenticated', format('public.%I', t), c, p)`);
  return [
    ...given.filter((one) => one.given !== meant.has(`${one.role}/${one.table}/${one.right}`)),
    ...written,
  ];
}

/** Which roles have which rights before anything is weakened. */
export async function readRights(
  connection: Connection,
  roles: readonly string[],
): Promise<(role: string, table: Table, command: TableCommand) => boolean> {
  const rows = await connection.query<{ name: string }>(sql`
    select format('%s/%s/%s', r, t, p) as name
    from unnest(${[...roles]}::text[]) r, unnest(${[...TABLES]}::text[]) t, unnest(${[...COMMANDS]}::text[]) p
    where case when p = 'delete' then has_table_privilege(r, format('public.%I', t), p)
      else has_any_column_privilege(r, format('public.%I', t), p) end`);
  const names = new Set(rows.map(({ name }) => name));
  return (role, table, command) => names.has(`${role}/${table}/${command}`);
}
