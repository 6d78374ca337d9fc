import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import type { StrayRight } from './attempt.js';
import { type Counterexample, counterexample } from './counterexample.js';
import { TABLES, type Table } from './declaration.js';
import type { Verdict } from './mutant.js';
import { onStage } from './stage.js';
import { strayRights, tryAttempts } from './try-attempts.js';
import type { Beyond } from './weaken.js';

/** More than are ever told one by one. */
const ENOUGH = 100;
const TOLD = 8;

export interface ProveOptions {
  /** Whether to weaken everything once; it holds the tables' exclusive locks meanwhile. */
  readonly mutate: boolean;
  /** Only these; all where absent. */
  readonly tables?: readonly string[] | undefined;
  /** Whether nobody else works on the database, so that locks may be held until the end. */
  readonly alone: boolean;
  readonly progress?: ((message: string) => void) | undefined;
  readonly counted?: ((count: { what: string; done: number; total: number }) => void) | undefined;
}

export interface Proof {
  readonly holds: boolean;
  /** Commands tried, and the standings of members that they were tried for. */
  readonly attempts: number;
  readonly standings: number;
  /** Lines of public.role_permissions that it was held against. */
  readonly declared: number;
  /** So many attempts differed, or more where it is as many as are counted. */
  readonly disagreements: number;
  readonly counterexamples: readonly (Counterexample & {
    /** Whether the script, run by itself, came to the same. */
    readonly reproduced: boolean;
  })[];
  readonly stray_rights: readonly StrayRight[];
  /** Tables, and views that do not ask as their reader, open to members of which the access table says nothing. */
  readonly undeclared: readonly string[];
  readonly mutation: Mutation | null;
}

export interface Mutation {
  readonly mutants: number;
  readonly noticed: number;
  readonly equivalent: readonly Told[];
  readonly survived: readonly Told[];
  readonly untried: readonly Told[];
  /** Noticed of those that change something, in per cent. */
  readonly score: number;
  /** Helpers that were not weakened. */
  readonly beyond: readonly Beyond[];
}

interface Told {
  readonly object: string;
  readonly change: string;
  readonly by: string;
}

/**
 * Holds what members may do against the access table as the database holds it: every command on every table, for every
 * standing of a small model of families, in transactions of the owner's that are rolled back. No row that is there
 * already is touched or locked. Throws `not_allowed` where the owner may not act as the members' role, `usage` for a
 * table that is none of theirs.
 */
export async function proveAccess(connection: Connection, options: ProveOptions): Promise<Proof> {
  const { progress = () => undefined } = options;
  const tables = chosen(options.tables);
  progress('writing a model of families that will be undone');
  const proved = await onStage(
    connection,
    async ({ model, attempts, declaration, taken }) => {
      progress(`trying ${attempts.length} commands`);
      const found = await tryAttempts(connection, attempts, {}, ENOUGH);
      const kinds = new Map<string, Counterexample>();
      for (const one of found) {
        const { table, command, about, expected } = one.attempt;
        const kind = `${table}/${command}/${about}/${expected}/${one.came}/${one.missing.length > 0}`;
        if (!kinds.has(kind) && kinds.size < TOLD) kinds.set(kind, counterexample(one, model, taken));
      }
      return {
        attempts: attempts.length,
        standings: model.cases.length,
        declared: declaration.keys.length,
        disagreements: found.length,
        counterexamples: [...kinds.values()],
        stray_rights: await strayRights(connection, declaration),
        undeclared: await undeclared(connection),
      };
    },
    { tables },
  );
  const counterexamples = [];
  for (const one of proved.counterexamples)
    counterexamples.push({ ...one, reproduced: await reproduces(connection, one) });
  const holds = proved.disagreements === 0 && proved.stray_rights.length === 0;
  const mutation = options.mutate && holds ? await mutate(connection, options, tables) : null;
  return { holds, ...proved, counterexamples, mutation };
}

async function mutate(
  connection: Connection,
  { progress, counted, alone }: ProveOptions,
  tables: readonly Table[],
): Promise<Mutation> {
  progress?.('weakening one thing after the other');
  const { weaken } = await import('./weaken.js');
  const { verdicts, beyond } = await onStage(
    connection,
    (stage) =>
      weaken(connection, stage, {
        tables,
        counted: ({ done, total }) => counted?.({ what: 'weaknesses', done, total }),
      }),
    { silent: alone, operators: true, tables },
  );
  return score(verdicts, beyond);
}

function score(verdicts: readonly Verdict[], beyond: readonly Beyond[]): Mutation {
  const told = (kind: Verdict['verdict']) =>
    verdicts
      .filter(({ verdict }) => verdict === kind)
      .map(({ mutant, by }) => ({ object: mutant.object, change: mutant.change, by }));
  const [noticed, survived] = [told('noticed').length, told('survived')];
  const counted = noticed + survived.length;
  return {
    mutants: verdicts.length,
    noticed,
    equivalent: told('equivalent'),
    survived,
    untried: told('untried'),
    score: counted === 0 ? 0 : Math.floor((1000 * noticed) / counted) / 10,
    beyond,
  };
}

function chosen(names: readonly string[] = TABLES): readonly Table[] {
  const strange = names.find((name) => !(TABLES as readonly string[]).includes(name));
  if (strange === undefined) return TABLES.filter((table) => names.includes(table));
  throw new NestctlError(`The access table says nothing of a table "${strange}".`, {
    kind: 'usage',
    code: 'unknown_table',
    hint: `It knows: ${TABLES.join(', ')}.`,
    mistaken: { name: strange, among: TABLES },
  });
}

/** Runs a script as anybody would, and compares what it says. */
async function reproduces(connection: Connection, { script, came }: Counterexample): Promise<boolean> {
  try {
    const results = (await connection.client.query(script)) as unknown as { rows: { came?: string }[] }[];
    return results.some(({ rows }) => rows[0]?.came === came);
  } catch {
    await connection.client.query('rollback');
    return false;
  }
}

async function undeclared(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relnamespace = 'public'::regnamespace and not c.relname = any ($1)
       and (c.relkind in ('r', 'p', 'f', 'm') or c.relkind = 'v' and not coalesce(c.reloptions @> '{security_invoker=true}', false))
       and exists (select from unnest(array['anon', 'authenticated']) r
         where has_any_column_privilege(r, c.oid, 'select, insert, update') or has_table_privilege(r, c.oid, 'delete, truncate'))
     order by 1`,
    [TABLES],
  );
  return rows.map(({ name }) => name);
}
