import { NestctlError } from '../../platform/errors.js';
import { type Condition, testsOf } from './condition.js';
import { bypassOf, type Gate, gatesOf, type Side } from './gates.js';
import { wantedBy } from './membership.js';
import type { ParseCondition } from './parse-condition.js';
import type { TableCommand, TableFacts } from './table-facts.js';

export interface AskedCommand {
  readonly command: TableCommand;
  /** See `Form.reads`; true where absent for select, update and delete, false for insert. */
  readonly reads?: boolean | undefined;
  /** Values of the new row, by column: whole for insert, what changes for update. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

/** What is asked of the database to decide a command. */
export interface Question {
  readonly facts: TableFacts;
  readonly asked: AskedCommand;
  readonly reads: boolean;
  readonly bypass: string | undefined;
  readonly gates: readonly Gate[];
  /** By the text of a clause. */
  readonly conditions: ReadonlyMap<string, Condition>;
  /** The texts of all tests, for each side once. */
  readonly tests: Readonly<Record<Side, readonly string[]>>;
  /** Permissions that tests ask of a membership. */
  readonly permissions: readonly string[];
}

/** Refuses what a command cannot be asked with. Throws `usage`. */
export function checkAsked(
  { columns, table }: TableFacts,
  { command, values }: AskedCommand,
  row: boolean,
): void {
  const refuse = (message: string, hint: string) => {
    throw new NestctlError(message, { kind: 'usage', code: 'invalid_question', hint });
  };
  const strange = Object.keys(values ?? {}).find((name) => columns.every((column) => column.name !== name));
  if (strange !== undefined)
    refuse(`${table} has no column "${strange}".`, 'See its columns in sql/docs/schema.md.');
  if (command === 'insert' && row)
    refuse('A row to be inserted is not there yet.', 'Describe it with --values instead of --row.');
  if (command === 'insert' && values === undefined)
    refuse('What would be inserted is missing.', `Add --values '{"column":"value"}'.`);
  if ((command === 'select' || command === 'delete') && values !== undefined)
    refuse(`${command.toUpperCase()} takes no values.`, 'Leave --values out, or name another --command.');
  if (command === 'update' && values !== undefined && !row)
    refuse('Which row would be changed is missing.', 'Add --row.');
}

/** Takes the policies that decide a command apart. */
export async function prepareQuestion(
  facts: TableFacts,
  asked: AskedCommand,
  parser: () => Promise<ParseCondition>,
): Promise<Question> {
  const reads = asked.command === 'select' || (asked.reads ?? asked.command !== 'insert');
  const bypass = bypassOf(facts);
  const gates = bypass === undefined ? gatesOf(facts, { command: asked.command, reads }) : [];
  const clauses = gates.flatMap(({ on, permissive, restrictive }) =>
    [...permissive, ...restrictive].map(({ sql }) => ({ on, sql })),
  );
  const conditions = new Map<string, Condition>();
  if (clauses.length > 0) {
    const parse = await parser();
    for (const { sql } of clauses) if (!conditions.has(sql)) conditions.set(sql, parse(sql));
  }
  const tests = (side: Side) => [
    ...new Set(
      clauses
        .filter(({ on }) => on === side)
        .flatMap(({ sql }) => testsIn(conditions, sql).map((test) => test.sql)),
    ),
  ];
  const all = clauses.flatMap(({ sql }) => testsIn(conditions, sql));
  return {
    facts,
    asked,
    reads,
    bypass,
    gates,
    conditions,
    tests: { old: tests('old'), new: tests('new') },
    permissions: [...new Set(all.flatMap((test) => wantedBy(test)?.permission ?? []))],
  };
}

function testsIn(conditions: ReadonlyMap<string, Condition>, sql: string): Condition[] {
  const condition = conditions.get(sql);
  return condition === undefined ? [] : testsOf(condition);
}
