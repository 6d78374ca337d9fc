import type pg from 'pg';
import { type Command, TABLES, type Table } from './access-table.js';
import { type Candidate, insertCandidates, updateCandidates } from './candidates.js';
import { Evaluator } from './evaluate.js';
import type { Random } from './random.js';
import { attempt, type Outcome } from './sessions.js';
import type { Row, World } from './world.js';

/** A case on which the database and the declared access table differ. */
export interface Disagreement {
  readonly actor: string;
  readonly table: string;
  readonly command: string;
  readonly row: string;
  readonly expected: boolean;
  readonly state: string;
}

export interface Comparison {
  cases: number;
  readonly byTable: Record<string, number>;
  readonly disagreements: Disagreement[];
}

export const newComparison = (): Comparison => ({ cases: 0, byTable: {}, disagreements: [] });

export function count(comparison: Comparison, found: Disagreement, agreed: boolean): void {
  comparison.cases++;
  const label = `${found.table} ${found.command}`;
  comparison.byTable[label] = (comparison.byTable[label] ?? 0) + 1;
  if (!agreed) comparison.disagreements.push(found);
}

/** The key that identifies a row of the table in the model. */
export const keyOf = (table: Table) =>
  table === 'role_permissions' ? `role || '/' || permission` : 'id::text';

const HARMLESS: Partial<Record<Table, string>> = {
  users: `language = 'fr'`,
  families: `description = 'x'`,
  role_permissions: `row_scope = 'all'`,
};

/** Reads, changes and deletes every row there is, once with keys given back and once blindly. */
export function wholeTable(
  table: Table,
  set = HARMLESS[table] ?? 'updated_at = now()',
): { statement: string; command: Command; blind: boolean }[] {
  const key = keyOf(table);
  const answering = (modification: string) =>
    `with q as (${modification} returning ${key} as k) select array_agg(k) from q`;
  return [
    {
      statement: `with q as (select ${key} as k from public.${table}) select array_agg(k) from q`,
      command: 'select',
      blind: false,
    },
    { statement: answering(`update public.${table} set ${set}`), command: 'update', blind: false },
    { statement: `update public.${table} set ${set}`, command: 'update', blind: true },
    { statement: answering(`delete from public.${table}`), command: 'delete', blind: false },
    { statement: `delete from public.${table}`, command: 'delete', blind: true },
  ];
}

export interface CompareOptions {
  readonly tables?: readonly Table[];
  /** Stop at the first disagreement. */
  readonly untilFound?: boolean;
}

/**
 * Compares what the world's people and a stranger may do, row by row. The client's session must be in a transaction,
 * able to take the role `authenticated`, and its session user a registered app login.
 */
export async function compareMembers(
  client: pg.Client,
  world: World,
  random: Random,
  options: CompareOptions = {},
): Promise<Comparison> {
  const comparison = newComparison();
  const evaluator = new Evaluator(world);
  const tables = options.tables ?? TABLES;
  const actors = [...world.people.map(({ id }) => id), random.uuid(), undefined];
  for (const person of actors) {
    await become(client, person);
    const whole = tables.flatMap((table) => wholeTable(table).map((one) => ({ table, ...one })));
    const candidates = [
      ...insertCandidates(random, world, person),
      ...updateCandidates(random, world, person),
    ].filter(({ table }) => tables.includes(table));
    const profiles = `with q as (select id::text as k from public.member_profiles) select array_agg(k) from q`;
    const overview = `with q as (select family_id::text as k from public.family_overview) select array_agg(k) from q`;
    const { outcomes, now } = await attempt(client, [
      ...whole.map(({ statement }) => statement),
      ...candidates.map(({ statement }) => statement),
      profiles,
      overview,
    ]);
    evaluator.now = now;
    const actor = person ?? 'nobody';
    whole.forEach(({ table, command, blind }, at) => {
      const outcome = outcomes[at] as Outcome;
      const rows = world.rows.filter((row) => row.table === table);
      const may = (row: Row) =>
        evaluator.may(person, command, row) && (blind || evaluator.may(person, 'select', row));
      if (blind) {
        const expected = rows.filter(may).length;
        const row = `${expected} rows expected, ${outcome.affected} touched`;
        count(
          comparison,
          { actor, table, command: `blind ${command}`, row, expected: true, state: outcome.state },
          expected === outcome.affected,
        );
        return;
      }
      for (const row of rows) {
        const expected = may(row);
        count(
          comparison,
          { actor, table, command, row: row.key, expected, state: outcome.state },
          expected === outcome.keys.has(row.key),
        );
      }
      const unknown = [...outcome.keys].filter((key) => !rows.some((row) => row.key === key));
      for (const key of unknown) {
        count(
          comparison,
          { actor, table, command, row: key, expected: false, state: 'not of the world' },
          false,
        );
      }
    });
    candidates.forEach((candidate, at) => {
      compareCandidate(
        comparison,
        evaluator,
        actor,
        person,
        candidate,
        outcomes[whole.length + at] as Outcome,
      );
    });
    const [seen, families] = outcomes.slice(-2) as [Outcome, Outcome];
    const expected = person === undefined ? new Set<string>() : evaluator.profiles(person, world);
    for (const { id } of world.people) {
      count(
        comparison,
        {
          actor,
          table: 'member_profiles',
          command: 'select',
          row: id,
          expected: expected.has(id),
          state: seen.state,
        },
        expected.has(id) === seen.keys.has(id),
      );
    }
    for (const row of world.rows.filter(({ table }) => table === 'families')) {
      const may = evaluator.may(person, 'select', row);
      count(
        comparison,
        {
          actor,
          table: 'family_overview',
          command: 'select',
          row: row.key,
          expected: may,
          state: families.state,
        },
        may === families.keys.has(row.key),
      );
    }
    if (options.untilFound === true && comparison.disagreements.length > 0) break;
  }
  await client.query('reset role');
  return comparison;
}

/** Takes the role `authenticated` with these claims for the rest of the transaction. */
export async function become(client: pg.Client, person: string | undefined): Promise<void> {
  const claims = person === undefined ? '' : JSON.stringify({ sub: person, role: 'authenticated' });
  await client.query(
    `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
    [claims],
  );
}

// Refused by privilege or policy, by the rule on handing on, or for changing a key.
const REFUSALS = new Set(['42501', 'NS004', 'NS005']);

function compareCandidate(
  comparison: Comparison,
  evaluator: Evaluator,
  actor: string,
  person: string | undefined,
  candidate: Candidate,
  outcome: Outcome,
): void {
  const expected = candidate.expected(evaluator, person);
  // A duplicate, or the missing account of a stranger, is found only after access was checked.
  const done = ['23503', '23505'].includes(outcome.state) || (outcome.state === 'ok' && outcome.affected > 0);
  const clean = done || outcome.state === 'ok' || REFUSALS.has(outcome.state);
  count(
    comparison,
    {
      actor,
      table: candidate.table,
      command: candidate.command,
      row: candidate.statement,
      expected,
      state: outcome.state,
    },
    clean && expected === done,
  );
}

/** What is wrong, short enough to read, with the seed to repeat it. */
export function report(seed: number, { disagreements }: Comparison): string {
  const lines = disagreements.slice(0, 12).map((one) => JSON.stringify(one));
  return [`NESTCTL_TEST_SEED=${seed}: ${disagreements.length} disagreements`, ...lines].join('\n');
}
