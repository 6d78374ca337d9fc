import pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { Condition } from '../explain/condition.js';
import type { ParseCondition } from '../explain/parse-condition.js';
import { partsBelow, rewritten } from './condition-text.js';
import type { Declaration, Table } from './declaration.js';
import type { Mutant, PolicyText } from './mutant.js';

const quote = pg.escapeIdentifier;
const ASKED = /member_families\('([a-z_]+):([a-z]+)'::text(?:, '([a-z_ ]+)'::text)?\)/g;

/** The policies of the members' tables, under the names that statements need. */
export async function readPolicies(connection: Connection, tables: readonly Table[]): Promise<PolicyText[]> {
  return await connection.query<PolicyText>(sql`
    select c.relname as "table", p.polname as name, p.polpermissive as permissive,
      case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end as command,
      array(select case g when 0 then 'public' else pg_get_userbyid(g)::text end from unnest(p.polroles) g order by 1) as roles,
      pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_policy p join pg_class c on c.oid = p.polrelid
    where c.relnamespace = 'public'::regnamespace and c.relname = any (${[...tables]})
    order by c.relname, p.polname`);
}

/** Every way in which a policy can be a little weaker than it is. */
export function policyMutants(policy: PolicyText, parse: ParseCondition, declaration: Declaration): Mutant[] {
  const on = `on public.${quote(policy.table)}`;
  const alter = (clause: string) => [`alter policy ${quote(policy.name)} ${on} ${clause}`];
  const base = {
    object: policy.name,
    tables: [policy.table],
    ...(policy.command === 'all' ? {} : { commands: [policy.command] }),
  };
  const conditions = (['using', 'check'] as const).flatMap((part): Mutant[] => {
    const text = policy[part];
    if (text === null) return [];
    const clause = part === 'using' ? 'using' : 'with check';
    const whole = parse(text);
    const weaker = (
      path: readonly number[],
      put: string,
      kind: 'condition' | 'permission',
      change: string,
      added?: Added,
    ): Mutant => ({
      ...base,
      kind,
      change: `${clause.toUpperCase()}: ${change}`,
      statements: alter(`${clause} (${rewritten(whole, path, put)})`),
      trace: { of: 'condition', policy, part, path, added, dropped: kind === 'condition' },
    });
    if (whole.sql === 'true') return [];
    return [
      weaker([], 'true', 'condition', 'true'),
      ...partsBelow(whole).map(({ path, part: dropped }) =>
        weaker(path, 'true', 'condition', `without ${dropped.sql}`),
      ),
      ...[{ path: [], part: whole }, ...partsBelow(whole)]
        .filter((one) => one.part.kind === 'test')
        .flatMap((one) =>
          asked(one.part, declaration).map(({ put, change, added }) =>
            weaker(one.path, put, 'permission', change, added),
          ),
        ),
    ];
  });
  const widened: Mutant[] = policy.roles.includes('public')
    ? []
    : [
        {
          ...base,
          kind: 'role',
          change: `TO public in place of ${policy.roles.join(', ')}`,
          statements: alter('to public'),
          trace: { of: 'roles', policy },
        },
      ];
  const dropped: Mutant[] = policy.permissive
    ? []
    : [
        {
          ...base,
          kind: 'restrictive',
          change: 'dropped',
          statements: [`drop policy ${quote(policy.name)} ${on}`],
          trace: { of: 'other' },
        },
      ];
  return [...conditions, ...widened, ...dropped];
}

interface Added {
  readonly permission: string;
  readonly scope: string;
}

interface Asked {
  readonly put: string;
  readonly change: string;
  readonly added?: Added;
}

/** Another action or resource asked for, and row scopes asked for that somebody has. */
function asked(test: Condition, declaration: Declaration): Asked[] {
  return [...test.sql.matchAll(ASKED)].flatMap((match): Asked[] => {
    const [whole, resource, action, scopes = 'all'] = match;
    const permission = `${resource}:${action}`;
    const put = (name: string, wanted: string) =>
      `${test.sql.slice(0, match.index)}member_families('${name}'::text, '${wanted}'::text)${test.sql.slice(match.index + whole.length)}`;
    const others = declaration.permissions.filter(
      (one) => one !== permission && one.startsWith(`${resource}:`),
    );
    const foreign = permission === 'family:read' ? 'children:read' : 'family:read';
    const wider = declaration.scopesOf(permission).filter((scope) => !scopes.split(' ').includes(scope));
    return [
      ...[...others, foreign].map((name) => ({
        put: put(name, scopes),
        change: `${name} asked in place of ${permission}`,
      })),
      ...wider.map((scope) => ({
        put: put(permission, `${scopes} ${scope}`),
        change: `${permission} asked for the rows "${scopes} ${scope}" in place of "${scopes}"`,
        added: { permission, scope },
      })),
    ];
  });
}
