import type { Connection } from '../../platform/database/connection.js';
import type { Level } from '../../platform/doctor/index.js';
import { NestctlError } from '../../platform/errors.js';
import { type Rule, readRules, readScope } from './rule.js';

export interface LintOptions {
  /** Every schema but the system's, the platform's and extensions' when absent. */
  readonly schemas?: readonly string[] | undefined;
  /** Whom to hold it against: anon and authenticated when absent, else every role that neither owns nor bypasses. */
  readonly roles?: readonly string[] | undefined;
  /** Only these rules. */
  readonly only?: readonly string[] | undefined;
  /** All rules but these. */
  readonly skip?: readonly string[] | undefined;
}

export interface LintFinding {
  readonly name: string;
  readonly level: Level;
  readonly object: string | null;
  readonly detail: string;
  /** The statement that mends it; with "…" where somebody must decide. */
  readonly remedy: string | null;
  /** Why it is meant so, as the object's comment says: "lint <rule>: <why>". Not counted as wrong. */
  readonly meant: string | null;
}

export interface Lint {
  readonly findings: readonly LintFinding[];
  readonly rules: readonly Rule[];
}

/**
 * Holds the catalogue of any database against the rules of sql/checks/access. Reads the catalogue only; a rule that
 * could not be asked is `unknown`. Throws `usage` for a rule, schema or role that does not exist.
 */
export async function lintAccess(connection: Connection, options: LintOptions = {}): Promise<Lint> {
  const rules = chosen(await readRules(), options);
  const scope = await readScope();
  const ask = (asked: readonly Rule[]) =>
    connection.transaction(
      async () => {
        await applyScope(connection, options);
        return await connection.query<LintFinding>(`${scope}\n${asked.map(question).join('\nunion all\n')}`);
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  try {
    return { findings: sorted(await ask(rules), rules), rules };
  } catch (error) {
    if (!failsAlone(error)) throw error;
  }
  // One of them fails on this server, and together none answers.
  const findings: LintFinding[] = [];
  for (const rule of rules) findings.push(...(await ask([rule]).catch((error) => [unknown(rule, error)])));
  return { findings: sorted(findings, rules), rules };
}

/** Names are qualified wherever PostgreSQL prints them, so that a rule's patterns and remedies mean one thing. */
async function applyScope(connection: Connection, { schemas = [], roles = [] }: LintOptions): Promise<void> {
  const [absent] = await connection.query<{ kind: string | null; name: string }>(
    `select kind, name
     from (select set_config('search_path', 'pg_catalog', true), set_config('jit', 'off', true), set_config('nestctl.lint_schemas', array_to_string($1::text[], ','), true),
       set_config('nestctl.lint_roles', array_to_string($2::text[], ','), true)) settings
       left join (
         select 'schema' as kind, s as name from unnest($1::text[]) s where not exists (select from pg_catalog.pg_namespace n where n.nspname = s)
         union all
         select 'role', r from unnest($2::text[]) r where not exists (select from pg_catalog.pg_roles p where p.rolname = r)) absent on true`,
    [schemas, roles],
  );
  if (absent?.kind != null) throw unknownName(absent.kind, absent.name);
}

const question = ({ name, sql }: Rule): string =>
  `select '${name}' as name, found.level, found.object, found.detail, found.remedy,
     substring(pg_catalog.obj_description(found.oid, found.catalog) from '\\mlint ${name}: ([^()\\n]+)') as meant
   from (${sql}) found`;

function sorted(findings: readonly LintFinding[], rules: readonly Rule[]): LintFinding[] {
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

function unknown(rule: Rule, error: unknown): LintFinding {
  if (!failsAlone(error)) throw error;
  const detail = `could not be checked: ${error.message}`;
  return { name: rule.name, level: 'unknown', object: null, detail, remedy: null, meant: null };
}

function chosen(rules: readonly Rule[], { only, skip = [] }: LintOptions): Rule[] {
  const names = rules.map(({ name }) => name);
  for (const name of [...(only ?? []), ...skip]) {
    if (!names.includes(name)) throw unknownName('rule', name, names);
  }
  return rules.filter(({ name }) => (only?.includes(name) ?? true) && !skip.includes(name));
}

function unknownName(kind: string, name: string, among: readonly string[] = []): NestctlError {
  return new NestctlError(`There is no ${kind} "${name}".`, {
    kind: 'usage',
    code: `unknown_${kind}`,
    ...(among.length === 0 ? {} : { hint: `Rules: ${among.join(', ')}.`, mistaken: { name, among } }),
  });
}
