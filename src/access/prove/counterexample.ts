import pg from 'pg';
import type { Disagreement } from './attempt.js';
import { PROFILES } from './declaration.js';
import { claimsOf, locatorOf } from './load.js';
import type { Model, ModelRow } from './model.js';
import { insertInto } from './statements.js';

const literal = pg.escapeLiteral;

/** One thing that the database lets through or refuses other than the access table says. */
export interface Counterexample {
  readonly table: string;
  readonly command: string;
  readonly role: string;
  /** Who tries it, and on what. */
  readonly who: string;
  readonly what: string;
  /** `ok:1`: the row was seen or touched; `ok:0`: it was not; `refused`: the statement ended with an error. */
  readonly expected: string;
  readonly came: string;
  /** SQL that shows it, for the owner's connection; undoes itself, and ends with `expected` and `came`. */
  readonly script: string;
}

/** The smallest part of the model in which a disagreement shows, as a script. */
export function counterexample(found: Disagreement, model: Model, taken: readonly string[]): Counterexample {
  const { attempt, missing } = found;
  const { table, command, actor, about } = attempt;
  const selected = command === 'select' ? selectedRow(found, model) : undefined;
  const row = selected ?? attempt.row;
  const [expected, came] =
    command !== 'select'
      ? [attempt.expected, found.came]
      : found.came !== 'rows'
        ? [attempt.expected === 'refused' ? 'refused' : `ok:${missing.length > 0 ? 1 : 0}`, found.came]
        : attempt.expected === 'refused'
          ? ['refused', 'ok:1']
          : missing.length > 0
            ? ['ok:1', 'ok:0']
            : ['ok:0', 'ok:1'];
  const who = actor.title;
  const what = command === 'select' ? relationOf(row, found) : about;
  const told = { table, command, role: actor.role, who, what, expected, came };
  return { ...told, script: scriptOf(told, found, row, model, taken) };
}

/** A row of the model that is seen and should not be, or the other way round. */
function selectedRow({ extra, missing, attempt }: Disagreement, model: Model): ModelRow | undefined {
  const table = attempt.table === PROFILES ? 'users' : attempt.table;
  const rows = model.rows.filter((row) => row.table === table);
  const wrong = new Set(missing.length > 0 ? missing : extra);
  return (
    rows.find((row) => wrong.has(row.id)) ?? rows.find((row) => row.owner !== attempt.actor.standing?.family)
  );
}

function relationOf(row: ModelRow | undefined, { attempt: { actor } }: Disagreement): string {
  if (row === undefined) return 'a row';
  const { standing, person } = actor;
  if (row.owner !== standing?.family && row.owner !== person) return 'a row that is not theirs';
  return row.author === person || row.owner === person
    ? 'a row of their own'
    : `a row of another author${row.today ? '' : ', not of today'}`;
}

/** What the attempt rests on: the rows of the families and people that it names. */
function needed(found: Disagreement, row: ModelRow | undefined, model: Model): ModelRow[] {
  const { actor, statement, table } = found.attempt;
  const named = `${statement} ${JSON.stringify(row?.values ?? {})} ${actor.person} ${actor.standing?.family} ${row?.owner}`;
  const both = table === PROFILES ? [actor.person, row?.id] : [];
  const families = new Set(
    model.cases
      .filter(({ family, person }) => named.includes(family) || both.includes(person))
      .map(({ family }) => family),
  );
  const members = model.rows.filter(
    (one) =>
      one.table === 'family_members' &&
      families.has(one.owner) &&
      (one.member === actor.person || one === row || (one.member !== null && both.includes(one.member))),
  );
  const people = `${named} ${members.map((one) => JSON.stringify(one.values))}`;
  const children = new Set([...families].map((id) => model.child.get(id)));
  return model.rows.filter(
    (one) =>
      one === row ||
      members.includes(one) ||
      (one.table === 'families' && families.has(one.id)) ||
      (one.table === 'children' && table !== 'families' && children.has(one.id)) ||
      (one.table === 'users' && people.includes(one.id)),
  );
}

function scriptOf(
  { table, command, role, who, what, expected, came }: Omit<Counterexample, 'script'>,
  found: Disagreement,
  row: ModelRow | undefined,
  model: Model,
  taken: readonly string[],
): string {
  const { actor, statement } = found.attempt;
  const quoted = `"${role}"`;
  const grant = taken.filter((one) => one.startsWith(`grant ${quoted} `));
  const where = row === undefined ? '' : locatorOf(row);
  const work =
    command === 'select'
      ? `execute ${literal(`select count(*) from public.${table} where ${where}`)} into touched;`
      : `execute ${literal(`${statement}${found.attempt.row === undefined ? '' : ' where current of the_row'}`)};\n  get diagnostics touched = row_count;`;
  return `-- ${command.toUpperCase()} of ${what} in public.${table}, as ${role}: ${who}
-- The access table says ${expected}, the database says ${came}. Run it as the owner; it changes nothing.
begin;
set local lock_timeout = '2s';
${[...grant.map((one) => `${one};`), ...needed(found, row, model).map((one) => `${insertInto(one.table, one.values)};`)].join('\n')}
${
  actor.registered
    ? 'insert into private.app_logins (login) values (session_user) on conflict do nothing;'
    : 'delete from private.app_logins where login = session_user;'
}
${found.attempt.setup === undefined ? '' : `${found.attempt.setup};\n`}${found.attempt.row === undefined ? '' : `declare the_row cursor for select from public.${table} where ${where};\nmove the_row;\n`}select set_config('request.jwt.claims', ${literal(claimsOf(found.attempt))}, true);
set local role ${quoted};
do $$
declare
  touched bigint;
begin
  ${work}
  perform set_config('nestctl.came', 'ok:' || touched, true);
exception
  when integrity_constraint_violation then perform set_config('nestctl.came', 'ok:1', true);
  when insufficient_privilege then perform set_config('nestctl.came', 'refused', true);
  when others then perform set_config('nestctl.came', case when sqlstate like 'NS%' then 'refused' else 'error ' || sqlstate end, true);
end $$;
select ${literal(expected)} as expected, current_setting('nestctl.came') as came;
rollback;
`;
}
