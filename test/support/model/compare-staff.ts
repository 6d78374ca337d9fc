import type pg from 'pg';
import { isFamilyTable, TABLES, type Table } from './access-table.js';
import { type Comparison, count, newComparison, wholeTable } from './compare.js';
import type { Random } from './random.js';
import { familyValues, userValues } from './rows.js';
import { attempt, insertStatement, type Outcome } from './sessions.js';
import {
  type Duty,
  type Grant,
  HIDDEN_COLUMNS,
  hasPrivateColumns,
  PRIVATE_VIEWS,
  StaffEvaluator,
} from './staff-table.js';
import type { Row, World } from './world.js';

/** All columns of each table, as the owner finds them. */
export type Columns = ReadonlyMap<Table, readonly string[]>;

export async function readColumns(owner: pg.Client): Promise<Columns> {
  const { rows } = await owner.query<{ name: Table; columns: string[] }>(
    `select table_name as name, array_agg(column_name::text) as columns
     from information_schema.columns where table_schema = 'public' and table_name = any ($1) group by 1`,
    [TABLES],
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

interface Check {
  readonly table: string;
  readonly command: string;
  readonly statement: string;
  check(outcome: Outcome): { cases: readonly { row: string; expected: boolean; agreed: boolean }[] };
}

/**
 * Compares what an operator under a duty may do with every row and column. The client's session must be the
 * operator's, in a transaction, with the grant committed before.
 */
export async function compareStaff(
  client: pg.Client,
  world: World,
  random: Random,
  columns: Columns,
  duty: Duty,
  grant: Grant,
): Promise<Comparison> {
  const evaluator = new StaffEvaluator(world, duty, grant);
  const checks = [
    ...rowChecks(world, evaluator),
    ...columnChecks(world, evaluator, columns),
    ...viewChecks(world, evaluator, duty),
    ...insertChecks(random, world, evaluator),
  ];
  await client.query(`select set_config('role', $1, true)`, [`nestsync_${duty}`]);
  const { outcomes } = await attempt(
    client,
    checks.map(({ statement }) => statement),
  );
  await client.query('reset role');
  const comparison = newComparison();
  checks.forEach(({ table, command, check }, at) => {
    const outcome = outcomes[at] as Outcome;
    for (const { row, expected, agreed } of check(outcome).cases) {
      const actor = `${duty} with ${JSON.stringify(grant)}`;
      count(comparison, { actor, table, command, row, expected, state: outcome.state }, agreed);
    }
  });
  return comparison;
}

const rowsOf = (world: World, table: Table) => world.rows.filter((row) => row.table === table);

// Staff may not set updated_at where only some columns are theirs to write.
const SETTABLE: Partial<Record<Table, string>> = { children: `name = 'x'`, usage_logs: `notes = 'x'` };

function rowChecks(world: World, evaluator: StaffEvaluator): Check[] {
  return TABLES.flatMap((table) =>
    wholeTable(table, SETTABLE[table]).map(({ statement, command, blind }) => ({
      table,
      command: blind ? `blind ${command}` : command,
      statement,
      check: (outcome) => {
        const privileged = evaluator.hasPrivilege(command, table);
        const refused = outcome.state === '42501';
        const rows = rowsOf(world, table);
        const cases = [{ row: 'privilege', expected: privileged, agreed: privileged !== refused }];
        if (blind) {
          const expected = rows.filter((row) => evaluator.may(command, row)).length;
          return {
            cases: [
              ...cases,
              { row: 'count', expected: expected > 0, agreed: outcome.affected === expected },
            ],
          };
        }
        return { cases: [...cases, ...keyCases(rows, outcome, (row) => evaluator.may(command, row))] };
      },
    })),
  );
}

function keyCases(rows: readonly Row[], outcome: Outcome, may: (row: Row) => boolean) {
  const known = new Set(rows.map(({ key }) => key));
  return [
    ...rows.map((row) => ({
      row: row.key,
      expected: may(row),
      agreed: may(row) === outcome.keys.has(row.key),
    })),
    ...[...outcome.keys]
      .filter((key) => !known.has(key))
      .map((key) => ({ row: `${key}, not of the world`, expected: false, agreed: false })),
  ];
}

function columnChecks(world: World, evaluator: StaffEvaluator, columns: Columns): Check[] {
  return [...columns].flatMap(([table, names]) =>
    names.map((column) => {
      const expected =
        evaluator.hasPrivilege('select', table) && HIDDEN_COLUMNS[table]?.includes(column) !== true;
      const rows = rowsOf(world, table).filter((row) => evaluator.may('select', row)).length;
      return {
        table,
        command: `select ${column}`,
        statement: `select ${column} from public.${table}`,
        check: (outcome: Outcome) => ({
          cases: [
            {
              row: `${rows} rows`,
              expected,
              agreed: expected
                ? outcome.state === 'ok' && outcome.affected === rows
                : outcome.state === '42501',
            },
          ],
        }),
      };
    }),
  );
}

function viewChecks(world: World, evaluator: StaffEvaluator, duty: Duty): Check[] {
  const reading = Object.entries(PRIVATE_VIEWS).map(([view, table]) => ({
    table: view,
    command: 'select',
    statement: `with q as (select id::text as k from ${view}) select array_agg(k) from q`,
    check: (outcome: Outcome) => ({
      cases: [
        {
          row: 'privilege',
          expected: hasPrivateColumns(duty),
          agreed: hasPrivateColumns(duty) !== (outcome.state === '42501'),
        },
        ...keyCases(rowsOf(world, table), outcome, (row) => evaluator.mayReadPrivate(row)),
      ],
    }),
  }));
  const writing = [
    ['ops.children_health', 'children', `allergies_notes = 'x'`],
    ['ops.usage_logs_health', 'usage_logs', `health_notes = 'x'`],
    ['ops.users_private', undefined, `phone_number = 'x'`],
  ] as const;
  const updates = writing.map(([view, table, set]) => ({
    table: view,
    command: 'update',
    statement: `update ${view} set ${set}`,
    check: (outcome: Outcome) => {
      const may = table !== undefined && duty === 'admin';
      const expected = may ? rowsOf(world, table).filter((row) => evaluator.mayReadPrivate(row)).length : 0;
      return {
        cases: [
          {
            row: `${expected} rows expected, ${outcome.affected} touched`,
            expected: may,
            agreed: may === (outcome.state === 'ok') && outcome.affected === expected,
          },
        ],
      };
    },
  }));
  const profiles = {
    table: 'member_profiles',
    command: 'select',
    statement: 'select id from public.member_profiles',
    check: (outcome: Outcome) => ({
      cases: [{ row: 'privilege', expected: false, agreed: outcome.state === '42501' }],
    }),
  };
  return [...reading, ...updates, profiles];
}

function insertChecks(random: Random, world: World, evaluator: StaffEvaluator): Check[] {
  const checks: Check[] = [];
  const add = (
    row: Pick<Row, 'table' | 'family' | 'person'>,
    values: Record<string, unknown>,
    allowed = true,
  ) => {
    const hidden = HIDDEN_COLUMNS[row.table] ?? [];
    const written = Object.fromEntries(
      Object.entries(values).filter(([name]) => !allowed || name === 'token_hash' || !hidden.includes(name)),
    );
    checks.push({
      table: row.table,
      command: 'insert',
      statement: insertStatement(row.table, written),
      check: ({ state }) => {
        const expected = allowed && evaluator.may('insert', row);
        const done = state === 'ok' || state === '23505';
        return {
          cases: [
            { row: JSON.stringify(row), expected, agreed: (done || state === '42501') && expected === done },
          ],
        };
      },
    });
  };
  for (const family of world.families) {
    const member = world.memberships.filter((one) => one.family === family.id).map((one) => one.person);
    const newcomer = random.pick(world.people.filter(({ id }) => !member.includes(id)));
    const key = () => ({ family_id: family.id, id: random.uuid() });
    add(
      { table: 'family_members', family: family.id },
      {
        ...key(),
        user_id: newcomer.id,
        role: 'professional',
        status: 'active',
        granted_permissions: [],
        denied_permissions: [],
      },
    );
    for (const table of TABLES) {
      if (!isFamilyTable(table) || table === 'families' || table === 'family_members') continue;
      const lists = table === 'family_invitations' ? { granted_permissions: [], denied_permissions: [] } : {};
      add({ table, family: family.id }, { ...key(), ...familyValues(table, family, world.now), ...lists });
    }
    // Health columns are never written in the table itself.
    for (const table of ['children', 'usage_logs'] as const) {
      add({ table, family: family.id }, { ...key(), ...familyValues(table, family, world.now) }, false);
    }
  }
  for (const person of random.some(world.people, 8)) {
    for (const table of TABLES) {
      if (isFamilyTable(table) || table === 'users' || table === 'role_permissions') continue;
      add({ table, person: person.id }, { user_id: person.id, id: random.uuid(), ...userValues(table) });
    }
  }
  const id = random.uuid();
  add({ table: 'families', family: id }, { id, name: 'Nouvelle famille' });
  add({ table: 'users', person: id }, { id, email: `${id}@example.ca` });
  return checks;
}
