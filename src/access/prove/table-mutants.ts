import type { Connection } from '../../platform/database/connection.js';
import { PROFILES, RIGHTS, type Table } from './declaration.js';
import type { Mutant } from './mutant.js';

/** Row security off or not forced, and rights that members and the unknown do not have. */
export async function tableMutants(connection: Connection, tables: readonly Table[]): Promise<Mutant[]> {
  const lacking = await connection.query<{ role: string; table: Table; right: string }>(
    `select r as role, t as "table", p as "right"
     from unnest($1::text[]) with ordinality t (t, o), unnest(array['authenticated', 'anon', 'public']) r, unnest($2::text[]) p
     where not has_table_privilege(case r when 'public' then 'anon' else r end, format('public.%I', t), p) order by o, r, p`,
    [tables, RIGHTS],
  );
  return [
    ...tables
      .filter((table) => table !== PROFILES)
      .flatMap((table): Mutant[] => [
        {
          kind: 'row security',
          object: table,
          change: 'row level security disabled',
          statements: [`alter table public.${table} disable row level security`],
          tables: [table],
          trace: { of: 'off', table },
        },
        {
          kind: 'row security',
          object: table,
          change: 'row level security not forced',
          statements: [`alter table public.${table} no force row level security`],
          tables: [table],
          trace: { of: 'force', table },
        },
      ]),
    ...lacking.map(
      ({ role, table, right }): Mutant => ({
        kind: 'grant',
        object: table,
        change: `${right.toUpperCase()} granted to ${role}`,
        statements: [`grant ${right} on public.${table} to ${role}`],
        tables: [table],
        trace: { of: 'other' },
      }),
    ),
  ];
}
