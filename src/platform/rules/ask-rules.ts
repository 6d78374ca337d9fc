import type { Connection } from '../database/connection.js';
import type { Finding } from '../doctor/index.js';
import { NestctlError } from '../errors.js';
import type { Rule, RuleSet } from './read-rules.js';

export interface RuleFinding extends Finding {
  /** Why it is meant so, as the object's comment says: "lint <rule>: <why>". Not counted as wrong. */
  readonly meant: string | null;
}

/**
 * What the rules find, in their order, at one moment, read-only. `settle` runs first in the same transaction. Names are
 * qualified wherever PostgreSQL prints them, so that a rule's patterns and remedies mean one thing. A rule that could
 * not be asked is `unknown`; what is wrong with all of them is thrown.
 */
export async function askRules(
  connection: Connection,
  { rules, scope }: RuleSet,
  settle: () => Promise<void> = async () => undefined,
): Promise<RuleFinding[]> {
  const ask = (asked: readonly Rule[]) =>
    connection.transaction(
      async () => {
        await connection.query(
          `select set_config('search_path', 'pg_catalog', true), set_config('jit', 'off', true)`,
        );
        await settle();
        return await connection.query<RuleFinding>(`${scope}\n${asked.map(question).join('\nunion all\n')}`);
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  try {
    return sorted(await ask(rules), rules);
  } catch (error) {
    if (!failsAlone(error)) throw error;
  }
  // One of them fails on this server, and together none answers.
  const findings: RuleFinding[] = [];
  for (const rule of rules) findings.push(...(await ask([rule]).catch((error) => [unknown(rule, error)])));
  return sorted(findings, rules);
}

const question = ({ name, sql }: Rule): string =>
  `select '${name}' as name, found.level, found.object, found.detail, found.remedy,
     substring(pg_catalog.obj_description(found.oid, found.catalog) from '\\mlint ${name}: ([^()\\n]+)') as meant
   from (${sql}) found`;

function sorted(findings: readonly RuleFinding[], rules: readonly Rule[]): RuleFinding[] {
  const place = new Map(rules.map(({ name }, at) => [name, at]));
  return [...findings].sort(
    (a, b) =>
      (place.get(a.name) ?? 0) - (place.get(b.name) ?? 0) ||
      (a.object ?? '').localeCompare(b.object ?? '') ||
      a.detail.localeCompare(b.detail),
  );
}

const failsAlone = (error: unknown): error is NestctlError =>
  error instanceof NestctlError && error.kind !== 'usage' && error.code !== 'connection_lost';

function unknown(rule: Rule, error: unknown): RuleFinding {
  if (!failsAlone(error)) throw error;
  const detail = `could not be checked: ${error.message}`;
  return { name: rule.name, level: 'unknown', object: null, detail, remedy: null, meant: null };
}
