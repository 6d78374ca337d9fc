import type pg from 'pg';
import { attempt, insertStatement } from '../model/sessions.js';
import type { Household } from './household.js';

/** By person: `table:command:row` of all they may do with the rows of some families, as the database lets them. */
export type Sight = ReadonlyMap<string, ReadonlySet<string>>;

/** How a row of each table is named whatever its id, and a column that is set to what it is. */
const TABLES: readonly (readonly [table: string, label: string, column: string])[] = [
  ['families', 'id', 'name'],
  ['family_members', `family_id || '/' || user_id`, 'status'],
  ['family_invitations', 'id', 'status'],
  ['children', 'id', 'name'],
  ['emergency_profiles', 'id', 'contact_name'],
  ['inventory_items', 'id', 'notes'],
  ['usage_logs', 'id', 'notes'],
  ['reorder_suggestions', 'id', 'status'],
  ['analytics_events', 'id', 'event_type'],
  ['usage_analytics', 'id', 'period'],
];

/** Asks the database as each person of a household, by trying all and undoing it. */
export async function sightOf(app: pg.Client, home: Household): Promise<Sight> {
  const children = await home.sql<{ family_id: string; id: string }>(
    'select distinct on (family_id) family_id, id from public.children where family_id = any ($1) order by family_id, id',
    home.families,
  );
  const statements = home.families.flatMap((family) => {
    const child = children.find((one) => one.family_id === family)?.id;
    return TABLES.flatMap(([table, label, column]) => [
      ...trials(table, label, column, family),
      [
        `${table}:insert:${family}`,
        insertStatement(table, values(table, family, child, home.nanny.id)),
      ] as const,
    ]);
  });
  const sight = new Map<string, Set<string>>();
  for (const { id } of home.people) {
    await app.query('begin');
    await app.query('set local role authenticated');
    await app.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: id })]);
    const { outcomes } = await attempt(
      app,
      statements.map(([, statement]) => statement),
    );
    await app.query('rollback');
    const seen = new Set<string>();
    for (const [at, { state, keys }] of outcomes.entries()) {
      const [name, statement] = statements[at] as (typeof statements)[number];
      if (statement.startsWith('with')) for (const key of keys) seen.add(`${name}:${key}`);
      // A constraint is asked after the policies.
      else if (state === 'ok' || state.startsWith('23')) seen.add(name);
    }
    sight.set(id, seen);
  }
  return sight;
}

function trials(table: string, label: string, column: string, family: string): (readonly [string, string])[] {
  const of = `${table === 'families' ? 'id' : 'family_id'} = '${family}'`;
  const answer = `select array_agg(k::text) from r`;
  return [
    [`${table}:select`, `with r as (select ${label} as k from public.${table} where ${of}) ${answer}`],
    [
      `${table}:update`,
      `with r as (update public.${table} set ${column} = ${column} where ${of} returning ${label} as k) ${answer}`,
    ],
    [
      `${table}:delete`,
      `with r as (delete from public.${table} where ${of} returning ${label} as k) ${answer}`,
    ],
  ];
}

function values(
  table: string,
  family: string,
  child: string | undefined,
  person: string,
): Record<string, unknown> {
  const owned = { family_id: family, child_id: child };
  switch (table) {
    case 'families':
      return { id: family, name: 'x' };
    case 'family_members':
      return { family_id: family, user_id: person, role: 'institutional' };
    case 'family_invitations':
      return { family_id: family, email: `x@example.ca`, role: 'institutional', token_hash: '\\x00' };
    case 'children':
      return { family_id: family, name: 'x', date_of_birth: '2025-03-01' };
    case 'emergency_profiles':
      return { ...owned, contact_name: 'x' };
    case 'inventory_items':
      return { ...owned, product_type: 'diaper', quantity_total: 2, quantity_remaining: 1 };
    case 'usage_logs':
      return { ...owned, usage_type: 'diaper_change' };
    case 'reorder_suggestions':
      return { ...owned, product_type: 'wipes', product: 'x' };
    case 'analytics_events':
      return { family_id: family, event_type: 'x' };
    default:
      return { ...owned, period: 'week', period_start: '2026-01-05' };
  }
}
