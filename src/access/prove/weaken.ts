import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import { conditionParser } from '../explain/parse-condition.js';
import { TABLES, type Table } from './declaration.js';
import { reasonFor } from './equivalence.js';
import { helperMutants, readHelpers } from './function-mutants.js';
import type { Mutant, Verdict } from './mutant.js';
import { policyMutants, readPolicies } from './policy-mutants.js';
import type { Stage } from './stage.js';
import { tableMutants } from './table-mutants.js';
import { strayRights, tryAttempts } from './try-attempts.js';
import { undone } from './undone.js';
import { readViews, viewMutants } from './view-mutants.js';

/** A helper that was not weakened, and why. */
export interface Beyond {
  readonly object: string;
  readonly why: string;
}

export interface Weakening {
  readonly verdicts: readonly Verdict[];
  readonly beyond: readonly Beyond[];
}

export interface WeakenOptions {
  /** Only these, and what their policies stand on. */
  readonly tables?: readonly Table[] | undefined;
  readonly counted?: ((count: { done: number; total: number }) => void) | undefined;
}

/** Weakens one thing after the other in the stage's transaction, and looks whether the proof notices. */
export async function weaken(
  connection: Connection,
  stage: Stage,
  options: WeakenOptions = {},
): Promise<Weakening> {
  const { counted } = options;
  const parse = await conditionParser();
  const tables = options.tables ?? TABLES;
  const all = tables.length === TABLES.length;
  const policies = await readPolicies(connection, tables);
  const views = await readViews(connection, tables);
  const { helpers, beyond } = await readHelpers(connection, policies, views);
  const { scanSync } = await import('libpg-query');
  const scan = (text: string) =>
    scanSync(text).tokens.map(({ start, end, text: word }) => ({ start, end, word: word.toUpperCase() }));
  const mutants = [
    ...policies.flatMap((policy) => policyMutants(policy, parse, stage.declaration)),
    ...(await tableMutants(connection, tables)),
    ...views.flatMap((view) => viewMutants(view, scan)),
    ...(all ? helpers.flatMap((helper) => helperMutants(helper, scan)) : []),
  ];
  const verdicts: Verdict[] = [];
  for (const mutant of mutants) {
    const verdict = await judge(connection, stage, mutant);
    if (verdict.verdict === 'survived') {
      const reason = await reasonFor(connection, mutant, { stage, policies, parse });
      verdicts.push(reason === undefined ? verdict : { mutant, verdict: 'equivalent', by: reason });
    } else verdicts.push(verdict);
    counted?.({ done: verdicts.length, total: mutants.length });
  }
  const whole = all
    ? []
    : helpers.map(({ name }) => ({ name, why: 'only all tables together show what rests on it' }));
  const staff = beyond.map((name) => ({
    name,
    why: 'reached only under a duty, which no session has that acts as a member',
  }));
  return {
    verdicts,
    beyond: [...whole, ...staff].map(({ name, why }) => ({ object: `private.${name}`, why })),
  };
}

async function judge(
  connection: Connection,
  { attempts, declaration }: Stage,
  mutant: Mutant,
): Promise<Verdict> {
  try {
    return await undone(connection, async () => {
      for (const statement of mutant.statements) await connection.query(statement);
      const [right] = mutant.kind === 'grant' ? await strayRights(connection, declaration) : [];
      if (right !== undefined)
        return { mutant, verdict: 'noticed', by: `${right.role} has ${right.right} on ${right.table}` };
      const [found] = await tryAttempts(connection, attempts, mutant, 1);
      if (found === undefined) return { mutant, verdict: 'survived', by: '' };
      const { table, command, actor, about } = found.attempt;
      return { mutant, verdict: 'noticed', by: `${actor.title}: ${command} of ${about} in ${table}` };
    });
  } catch (error) {
    if (!(error instanceof NestctlError) || error.code === 'connection_lost') throw error;
    return { mutant, verdict: 'untried', by: error.message };
  }
}
