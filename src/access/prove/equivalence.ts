import pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { ParseCondition } from '../explain/parse-condition.js';
import { COMMANDS } from '../explain/table-facts.js';
import { givenByAnotherArm, impliedBySiblings, leftByTheOthers } from './implied.js';
import type { ConditionTrace, Mutant, PolicyText } from './mutant.js';
import type { Stage } from './stage.js';
import { tryAttempts } from './try-attempts.js';
import { undone } from './undone.js';

const quote = pg.escapeIdentifier;

/**
 * Why a mutant that nobody noticed changes nothing, where that can be checked apart from the model: by the text of the
 * policy, by the catalogue, or by taking away what stands before it. Undefined where no reason was found.
 */
export async function reasonFor(
  connection: Connection,
  mutant: Mutant,
  { stage, policies, parse }: { stage: Stage; policies: readonly PolicyText[]; parse: ParseCondition },
): Promise<string | undefined> {
  const { trace } = mutant;
  switch (trace.of) {
    case 'condition':
      return (
        impliedBySiblings(trace, parse) ??
        leftByTheOthers(trace, parse) ??
        givenByAnotherArm(trace, parse) ??
        (await unwritable(connection, trace)) ??
        (await behindTrigger(connection, mutant, trace, stage))
      );
    case 'roles':
      return await nobodyElse(connection, trace.policy, policies);
    case 'off':
      return await hidesNothing(connection, trace.table, policies);
    case 'force':
      return ownerPasses(trace.table, policies);
    case 'shortcut':
      return await sameAsLongWay(connection);
    case 'spared':
      return await askedAgain(connection);
    case 'other':
      return undefined;
  }
}

/** A WITH CHECK that repeats the USING over columns that nobody it is for may write. */
async function unwritable(
  connection: Connection,
  { policy, part }: ConditionTrace,
): Promise<string | undefined> {
  if (part !== 'check' || policy.command !== 'update' || policy.using !== policy.check) return undefined;
  const columns = await connection.query<{ name: string; writable: boolean }>(sql`
    select a.attname as name, (select bool_or(has_column_privilege(r, a.attrelid, a.attnum, 'update')) from unnest(${policy.roles}::text[]) r) as writable
    from pg_attribute a where a.attrelid = format('public.%I', ${policy.table}::text)::regclass and a.attnum > 0 and not a.attisdropped`);
  const read = columns.filter(({ name }) =>
    new RegExp(`\\b${name}\\b`).test(policy.check?.replace(/\bprivate\.\w+|'[^']*'/g, '') ?? ''),
  );
  return read.length > 0 && read.every(({ writable }) => !writable)
    ? `USING asks the same of the row as it was, and ${policy.roles.join(', ')} may not update ${read.map(({ name }) => name).join(', ')}, the only column it reads`
    : undefined;
}

/** Whether it would be noticed if a trigger that refuses changes of keys did not come first. */
async function behindTrigger(
  connection: Connection,
  mutant: Mutant,
  { policy, part }: ConditionTrace,
  { attempts }: Stage,
): Promise<string | undefined> {
  if (part !== 'check' || policy.command !== 'update') return undefined;
  const [trigger] = await connection.query<{ name: string }>(sql`
    select t.tgname as name from pg_trigger t
    where t.tgrelid = format('public.%I', ${policy.table}::text)::regclass and t.tgfoid = 'private.refuse_key_change()'::regprocedure and t.tgenabled = 'O'`);
  if (trigger === undefined) return undefined;
  const off = `alter table public.${quote(policy.table)} disable trigger ${quote(trigger.name)}`;
  const found = async (statements: readonly string[]) =>
    await undone(connection, async () => {
      for (const statement of [off, ...statements]) await connection.query(statement);
      return new Set(
        (await tryAttempts(connection, attempts, mutant, 100_000)).map(({ attempt }) => attempt.no),
      );
    });
  const without = await found([]);
  const weakened = await found(mutant.statements);
  return [...weakened].some((no) => !without.has(no))
    ? `the trigger ${trigger.name} refuses every such change before; with the trigger off it is noticed`
    : undefined;
}

interface Reach {
  readonly role: string;
  /** Whether policies let it touch all rows, in every way in which it has a right to the table. */
  readonly passes: boolean;
  readonly callable: boolean;
}

/** Roles that have a right to a table for some commands, beside those named. */
async function reaching(
  connection: Connection,
  table: string,
  commands: readonly string[],
  {
    policies,
    besides,
    helpers,
  }: { policies: readonly PolicyText[]; besides: readonly string[]; helpers: readonly string[] },
): Promise<Reach[]> {
  const passing = policies
    .filter((one) => one.table === table && passesAll(one))
    .flatMap((one) => one.roles.map((role) => [role, one.command] as const));
  return await connection.query<Reach>(sql`
    select r.rolname as role, bool_and(exists (
        select from unnest(${passing.map(([role]) => role)}::text[], ${passing.map(([, command]) => command)}::text[]) o (role, command)
        where o.command in ('all', c) and (o.role = 'public' or pg_has_role(r.oid, o.role, 'usage')))) as passes,
      coalesce((select bool_and(has_function_privilege(r.oid, p.oid, 'execute')) from pg_proc p
        where p.pronamespace = 'private'::regnamespace and p.proname = any (${[...helpers]})), true) as callable
    from pg_roles r, unnest(${[...commands]}::text[]) c
    where not r.rolsuper and not r.rolbypassrls and r.rolname !~ '^pg_'
      and not exists (select from unnest(${[...besides]}::text[]) o where o = 'public' or pg_has_role(r.oid, o, 'usage'))
      and case c when 'delete' then has_table_privilege(r.oid, format('public.%I', ${table}::text), c)
        else has_any_column_privilege(r.oid, format('public.%I', ${table}::text), c) end
    group by r.oid, r.rolname order by 1`);
}

async function nobodyElse(
  connection: Connection,
  policy: PolicyText,
  policies: readonly PolicyText[],
): Promise<string | undefined> {
  const commands = policy.command === 'all' ? COMMANDS : [policy.command];
  const helpers = [...`${policy.using} ${policy.check}`.matchAll(/\bprivate\.(\w+)\(/g)].map(
    (match) => match[1] as string,
  );
  const rest = policies.filter(({ name }) => name !== policy.name);
  const others = await reaching(connection, policy.table, commands, {
    policies: rest,
    besides: policy.roles,
    helpers,
  });
  if (others.some(({ callable, passes }) => callable && !passes)) return undefined;
  const anyway = others.filter(({ passes }) => passes).map(({ role }) => role);
  const barred = others.filter(({ passes }) => !passes).map(({ role }) => role);
  return [
    'of the roles it would be for besides, ',
    ...(anyway.length === 0 ? [] : [`${anyway.join(', ')} may touch all rows anyway, `]),
    ...(barred.length === 0
      ? []
      : [`${barred.join(', ')} may not call ${[...new Set(helpers)].sort().join(', ')}, `]),
    'no other has a right to the table',
  ].join('');
}

async function hidesNothing(
  connection: Connection,
  table: string,
  policies: readonly PolicyText[],
): Promise<string | undefined> {
  const all = await reaching(connection, table, COMMANDS, { policies, besides: [], helpers: [] });
  return all.every(({ passes }) => passes)
    ? `whoever has a right to the table may touch all its rows in that way: ${all.map(({ role }) => role).join(', ')}`
    : undefined;
}

/** Whether a policy lets everything through for the command it is for. */
const passesAll = ({ permissive, using, check }: PolicyText) =>
  permissive && (using ?? check) === 'true' && (check ?? using) === 'true';

function ownerPasses(table: string, policies: readonly PolicyText[]): string | undefined {
  const owner = policies.find(
    (one) =>
      one.table === table && one.command === 'all' && one.name.endsWith('_owner_all') && passesAll(one),
  );
  return owner === undefined
    ? undefined
    : `it concerns the owner alone, whom ${owner.name} lets see everything`;
}

/** The helper takes a shorter way where a member has no lists: the same for every role, permission and scope there is. */
async function sameAsLongWay(connection: Connection): Promise<string | undefined> {
  const [found] = await connection.query<{ checked: string; same: boolean }>(`
    select count(*) as checked, bool_and(private.effective_scope(r.role, '{}', '{}', p.permission) is not distinct from
      (select d.row_scope from public.role_permissions d where d.role = r.role and d.permission = p.permission)) as same
    from (select distinct role from public.role_permissions) r, (select distinct permission from public.role_permissions) p`);
  return found?.same === true
    ? `it is a shorter way to the same: without lists both ways come to one row scope, for each of the ${found.checked} roles and permissions`
    : undefined;
}

/** Whether explained_person() finds nobody where the setting is empty, by its own text. */
async function askedAgain(connection: Connection): Promise<string | undefined> {
  const [found] = await connection.query<{ body: string }>(
    `select coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body from pg_proc p
     where p.pronamespace = 'private'::regnamespace and p.proname = 'explained_person'`,
  );
  const again = /\(\w+\.id = \(?nullif\(current_setting\('nestsync\.explaining'/i;
  return found !== undefined && again.test(found.body.replace(/::text/g, ''))
    ? 'it spares a call: explained_person(), asked next, asks for the row of the same setting'
    : undefined;
}
