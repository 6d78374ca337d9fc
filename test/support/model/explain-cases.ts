import type { TableCommand } from '../../../src/access/explain/table-facts.js';
import type { Random } from './random.js';
import { eventTimes } from './rows.js';
import { insertStatement } from './sessions.js';
import type { Row, World } from './world.js';

/** Something that one person tries with one row, and the statement that tries it. */
export interface ExplainCase {
  readonly person: string;
  readonly table: string;
  readonly command: TableCommand;
  /** Key columns; absent for insert. */
  readonly key?: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, unknown>>;
  /** For insert: whether the row is asked back, which PostgreSQL asks the policies for SELECT about. */
  readonly returning: boolean;
  readonly statement: string;
}

/** A column that members of some kind may change, and a value that nothing but policies objects to. */
const CHANGED: Readonly<Record<string, readonly [string, unknown]>> = {
  users: ['display_name', 'Quelqu’un'],
  families: ['name', 'Autre nom'],
  family_members: ['status', 'inactive'],
  family_invitations: ['status', 'revoked'],
  children: ['name', 'Zoé'],
  emergency_profiles: ['contact_name', 'Pépé'],
  inventory_items: ['quantity_remaining', 3],
  reorder_suggestions: ['product', 'Autres lingettes'],
  analytics_events: ['event_type', 'closed'],
  usage_analytics: ['change_count', 2],
  notification_preferences: ['daily_limit', 6],
  consent_records: ['consent_version', '2'],
  notification_logs: ['title', 'Autre'],
  payment_methods: ['card_brand', 'Autre'],
  subscriptions: ['plan', 'autre'],
  role_permissions: ['row_scope', 'own'],
};

export function randomCase(random: Random, world: World): ExplainCase {
  const table = random.pick([...new Set(world.rows.map((row) => row.table))]);
  // Half of the logs are near a midnight, where "today" is decided.
  const row = random.pick(
    world.rows.filter((one) => one.table === (random.chance(0.25) ? 'usage_logs' : table)),
  );
  const near = world.memberships.filter(({ family }) => family === row.family).map(({ person }) => person);
  const concerned = [...near, ...(row.person === undefined ? [] : [row.person])];
  const person =
    concerned.length > 0 && random.chance(0.8) ? random.pick(concerned) : random.pick(world.people).id;
  const command = random.weighted({ select: 4, insert: 2, update: 3, delete: 2 });
  return command === 'insert'
    ? insertCase(random, world, row, person)
    : rowCase(random, world, row, person, command);
}

function rowCase(
  random: Random,
  world: World,
  row: Row,
  person: string,
  command: 'select' | 'update' | 'delete',
): ExplainCase {
  const { table } = row;
  const key = keyOf(row);
  const where = Object.entries(key)
    .map(([column, value]) => `${column} = '${value}'`)
    .join(' and ');
  if (command === 'select')
    return {
      person,
      table,
      command,
      key,
      returning: true,
      statement: `select 1 from public.${table} where ${where}`,
    };
  if (command === 'delete')
    return {
      person,
      table,
      command,
      key,
      returning: true,
      statement: `delete from public.${table} where ${where}`,
    };
  const family = world.families.find(({ id }) => id === row.family);
  const [column, value] =
    table === 'usage_logs' && family !== undefined
      ? ['logged_at', new Date(random.pick(eventTimes(family, world.now))).toISOString()]
      : (CHANGED[table] as readonly [string, unknown]);
  return {
    person,
    table,
    command,
    key,
    values: { [column]: value },
    returning: true,
    statement: `update public.${table} set ${column} = '${value}' where ${where}`,
  };
}

function insertCase(random: Random, world: World, row: Row, person: string): ExplainCase {
  const { table } = row;
  const values: Record<string, unknown> =
    table === 'role_permissions'
      ? { role: 'professional', permission: `payments:${random.uuid()}`, row_scope: 'all' }
      : { ...row.values, id: random.uuid() };
  if ('created_by' in values) values.created_by = random.chance(0.7) ? person : random.pick(world.people).id;
  if ('user_id' in values && random.chance(0.5)) values.user_id = person;
  // A member twice, or a token twice, is refused by a constraint, after the policies.
  const granted = { users: ['id', 'email'], families: ['id', 'name', 'timezone', 'created_by'] }[
    table as string
  ];
  const kept =
    granted === undefined
      ? values
      : Object.fromEntries(Object.entries(values).filter(([name]) => granted.includes(name)));
  const returning = random.chance(0.4);
  const back = returning ? ` returning ${table === 'role_permissions' ? 'role' : 'id'}` : '';
  return {
    person,
    table,
    command: 'insert',
    values: kept,
    returning,
    statement: `${insertStatement(table, kept)}${back}`,
  };
}

function keyOf(row: Row): Record<string, unknown> {
  const { values, key } = row;
  if (row.table === 'role_permissions') {
    const [role, permission] = key.split('/');
    return { role, permission };
  }
  const owner =
    'family_id' in values
      ? 'family_id'
      : 'user_id' in values && row.table !== 'users'
        ? 'user_id'
        : undefined;
  return { ...(owner === undefined ? {} : { [owner]: values[owner] }), id: key };
}
