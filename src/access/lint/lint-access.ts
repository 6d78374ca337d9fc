import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import { askRules, type Rule, type RuleFinding, readRules } from '../../platform/rules/index.js';

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

export type LintFinding = RuleFinding;

export interface Lint {
  readonly findings: readonly LintFinding[];
  readonly rules: readonly Rule[];
}

/**
 * Holds the catalogue of any database against the rules of sql/checks/access. Reads the catalogue only; a rule that
 * could not be asked is `unknown`. Throws `usage` for a rule, schema or role that does not exist.
 */
export async function lintAccess(connection: Connection, options: LintOptions = {}): Promise<Lint> {
  const all = await readRules('access');
  const rules = chosen(all.rules, options);
  const findings = await askRules(connection, { ...all, rules }, () => applyScope(connection, options));
  return { findings, rules };
}

async function applyScope(connection: Connection, { schemas = [], roles = [] }: LintOptions): Promise<void> {
  const [absent] = await connection.query<{ kind: string | null; name: string }>(
    `select kind, name
     from (select set_config('nestctl.lint_schemas', array_to_string($1::text[], ','), true),
       set_config('nestctl.lint_roles', array_to_string($2::text[], ','), true)) settings
       left join (
         select 'schema' as kind, s as name from unnest($1::text[]) s where not exists (select from pg_catalog.pg_namespace n where n.nspname = s)
         union all
         select 'role', r from unnest($2::text[]) r where not exists (select from pg_catalog.pg_roles p where p.rolname = r)) absent on true`,
    [schemas, roles],
  );
  if (absent?.kind != null) throw unknownName(absent.kind, absent.name);
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
