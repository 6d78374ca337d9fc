import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { type Condition, testsOf } from './condition.js';
import type { ParseCondition, ParseInside } from './parse-condition.js';

/** What is inside a test that calls a helper or asks whether a row exists elsewhere. */
export type Inside =
  /** Each `sql` asks for one condition more of the row that is looked for; the last asks all. */
  | { readonly kind: 'exists'; readonly asked: readonly { readonly text: string; readonly sql: string }[] }
  /** The helper's own condition, with what it was called with. */
  | { readonly kind: 'helper'; readonly name: string; readonly condition: Condition }
  /** Why it can only be evaluated as a whole. */
  | { readonly kind: 'whole'; readonly why: string };

interface Helper {
  readonly language: string;
  readonly definer: boolean;
  readonly arguments: readonly string[];
  readonly body: string;
}

/** What is inside the tests of some conditions, as far as it can be told; nothing for plain tests. */
export async function takeApart(
  connection: Connection,
  conditions: Iterable<Condition>,
  parse: ParseCondition & ParseInside,
): Promise<Map<string, Inside>> {
  const insides = new Map<string, Inside>();
  const tests = [...conditions].flatMap(testsOf);
  for (const test of tests) {
    if (insides.has(test.sql)) continue;
    const asked = parse.exists(test.sql);
    if (asked !== undefined) insides.set(test.sql, { kind: 'exists', asked });
    const call = parse.call(test.sql);
    if (call === undefined) continue;
    const [helper, ...others] = await helpersOf(connection, call.schema, call.name, call.args.length);
    if (helper === undefined || others.length > 0) continue;
    const name = `${call.schema}.${call.name}`;
    const body =
      helper.language === 'sql' && !helper.definer
        ? parse.body(helper.body, { name: call.name, arguments: helper.arguments, values: call.args })
        : undefined;
    insides.set(
      test.sql,
      body !== undefined
        ? { kind: 'helper', name, condition: parse(body) }
        : {
            kind: 'whole',
            why: helper.definer
              ? `evaluated as a whole: ${name} works with its owner's rights`
              : `evaluated as a whole: ${name} is written in ${helper.language}`,
          },
    );
  }
  return insides;
}

/** The conditions that have to be evaluated beside the tests. */
export function insideTests(insides: ReadonlyMap<string, Inside>, tests: readonly string[]): string[] {
  return tests.flatMap((test) => {
    const inside = insides.get(test);
    if (inside?.kind === 'exists') return inside.asked.map(({ sql: text }) => text);
    return inside?.kind === 'helper' ? testsOf(inside.condition).map(({ sql: text }) => text) : [];
  });
}

async function helpersOf(
  connection: Connection,
  schema: string,
  name: string,
  count: number,
): Promise<Helper[]> {
  return await connection.query<Helper>(sql`
    select l.lanname as language, p.prosecdef as definer, coalesce(p.proargnames, '{}') as arguments,
      coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) as body
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace join pg_catalog.pg_language l on l.oid = p.prolang
    where n.nspname = ${schema} and p.proname = ${name} and p.pronargs = ${count} and p.prorettype = 'boolean'::regtype and p.prokind = 'f' and not p.proretset`);
}
