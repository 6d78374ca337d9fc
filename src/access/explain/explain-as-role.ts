import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import { answersTo, buildSteps } from './build-steps.js';
import { type Evaluation, evaluateAsRole, type Standing } from './evaluate-as-role.js';
import { type Decision, decide, type Explanation, missingFacts, notesOn, tableName } from './explanation.js';
import { conditionParser } from './parse-condition.js';
import { type AskedCommand, checkAsked, prepareQuestion, type Question } from './question.js';
import { type RowKey, rowKey } from './row-key.js';
import { readTableFacts } from './table-facts.js';
import { insideTests, takeApart } from './take-apart.js';

export interface RoleWish extends AskedCommand, Standing {
  readonly table: string;
  /** See `rowKey`; absent for what holds of the table alone. */
  readonly row?: string | undefined;
}

/**
 * Why a role with some claims may or may not do something, on any schema. It is found with what the connection's own
 * login may see and become, in a transaction that is undone; what is selected is also read as the role, and where
 * that differs the verdict is unknown. Throws `not_found` for a row that the login does not find.
 */
export async function explainAsRole(connection: Connection, wish: RoleWish): Promise<Explanation> {
  const { question, key, evaluation, insides } = await undone(connection, async () => {
    const facts = await readTableFacts(connection, wish.table, wish.role);
    checkAsked(facts, wish, wish.row !== undefined);
    const key = wish.row === undefined ? undefined : rowKey(wish.row, facts.key, wish.table);
    const parse = await conditionParser();
    const question = await prepareQuestion(facts, wish, async () => parse);
    const insides = await takeApart(connection, question.conditions.values(), parse);
    const beside = {
      old: insideTests(insides, question.tests.old),
      new: insideTests(insides, question.tests.new),
    };
    const evaluation = await evaluateAsRole(connection, question, beside, key, wish);
    return {
      question: { ...question, tests: withBeside(question.tests, beside) },
      key,
      evaluation,
      insides,
    };
  });
  if (evaluation.row === false) {
    throw new NestctlError(
      `There is no row ${wish.row} of ${wish.table}, or your own login may not see it.`,
      {
        kind: 'not_found',
        code: 'row_missing',
        hint: 'The row is read with the rights of your login before it is judged for another role.',
      },
    );
  }
  const steps = buildSteps(question, {
    old: answersTo(question.tests.old, evaluation.said.old),
    new: answersTo(question.tests.new, evaluation.said.new),
    membership: undefined,
    insides,
  });
  return explanationOf(question, key, wish, decide(steps), evaluation);
}

function withBeside(tests: Question['tests'], beside: Question['tests']): Question['tests'] {
  return { old: [...tests.old, ...beside.old], new: [...tests.new, ...beside.new] };
}

function explanationOf(
  question: Question,
  key: RowKey | undefined,
  { command, role, claims }: RoleWish,
  { verdict, steps, changes }: Decision,
  { seen }: Evaluation,
): Explanation {
  const differs = seen !== undefined && verdict !== 'unknown' && seen !== (verdict === 'allowed');
  return {
    verdict: differs ? 'unknown' : verdict,
    command,
    table: tableName(question.facts),
    role,
    person: typeof claims?.sub === 'string' ? claims.sub : null,
    row: key ?? null,
    at: null,
    counts: [],
    decided_by: seen === undefined ? 'evaluation' : 'evaluation and reading',
    membership: null,
    family: null,
    steps,
    missing: differs ? [] : missingFacts(changes),
    mend: [],
    notes: [
      ...(differs
        ? [`Read as ${role} the row is ${seen ? '' : 'not '}there: the conditions above do not explain it.`]
        : []),
      ...notesOn(question),
    ],
  };
}

/** Work in a transaction that is rolled back whatever comes of it. */
async function undone<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  const result: { value?: T } = {};
  const done = new Error('done, and to be undone');
  await connection
    .transaction(async () => {
      result.value = await work();
      throw done;
    })
    .catch((error: unknown) => {
      if (error !== done) throw error;
    });
  return result.value as T;
}
