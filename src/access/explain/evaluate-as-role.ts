import pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { Side } from './gates.js';
import type { Question } from './question.js';
import type { RowKey } from './row-key.js';

const quote = pg.escapeIdentifier;

/** The role and the claims that policies are evaluated with. */
export interface Standing {
  readonly role: string;
  /** As PostgREST sets them; none where absent. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

export interface Evaluation {
  /** Whether the connection's own login finds the row; undefined where none was asked for. */
  readonly row: boolean | undefined;
  readonly said: Readonly<Record<Side, readonly string[]>>;
  /** Whether the role, asked for the row, got it. Only for select, and only where it may name the key. */
  readonly seen: boolean | undefined;
}

/**
 * Evaluates tests as another role, in a read-only transaction that is undone. The connection's login makes them into
 * temporary functions, as it may name what the policies name; the role then runs these with its own rights, as it
 * would run the policies. The login must see the row and be a member of the role.
 */
export async function evaluateAsRole(
  connection: Connection,
  question: Question,
  /** Evaluated after the tests; one that cannot be is no matter. */
  beside: Readonly<Record<Side, readonly string[]>>,
  key: RowKey | undefined,
  standing: Standing,
): Promise<Evaluation> {
  const { facts, asked, tests } = question;
  const table = `${quote(facts.schema)}.${quote(facts.table)}`;
  const old = key === undefined ? undefined : await readRow(connection, table, key);
  if (key !== undefined && old === undefined)
    return { row: false, said: { old: [], new: [] }, seen: undefined };

  await connection.query(
    [
      TRUTH,
      ...testFunctions('old', tests.old, table, facts.table),
      ...testFunctions('new', tests.new, table, facts.table),
      ...besideFunctions('old', tests.old.length, beside.old, table, facts.table),
      ...besideFunctions('new', tests.new.length, beside.new, table, facts.table),
      newRow(question, table, await defaultsOf(connection, question)),
    ].join(';\n'),
  );
  const claims = standing.claims === undefined ? '' : JSON.stringify(standing.claims);
  await connection.query(sql`
    select set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', ${claims}, true),
      set_config('role', ${standing.role}, true)`);
  const values = asked.values === undefined ? null : JSON.stringify(asked.values);
  const writes =
    asked.command === 'update' ? old !== undefined : asked.command === 'insert' && values !== null;
  const { said } = await connection.one<{ said: { old: string[]; new: string[] } }>(sql`
    select jsonb_build_object(
      'old', case when ${old ?? null}::text is null then '[]' else to_jsonb(pg_temp.explain_truths('old', ${tests.old.length + beside.old.length}, ${old ?? null})) end,
      'new', case when ${writes} then to_jsonb(pg_temp.explain_truths('new', ${tests.new.length + beside.new.length},
        pg_temp.explain_new(${old ?? null}, coalesce(${values}::jsonb, '{}')))) else '[]' end) as said`);
  const readable =
    facts.schema_usage && key !== undefined && asked.command === 'select' && keyReadable(question, key);
  return {
    row: key === undefined ? undefined : true,
    said,
    seen: readable ? await sees(connection, table, key) : undefined,
  };
}

/** The row as text, through which all its values pass unchanged. */
async function readRow(connection: Connection, table: string, key: RowKey): Promise<string | undefined> {
  const [found] = await connection.query<{ row: string }>(
    `select t::text as row from ${table} t where ${where(table, key)}`,
    [JSON.stringify(key)],
  );
  return found?.row;
}

async function sees(connection: Connection, table: string, key: RowKey): Promise<boolean> {
  const rows = await connection.query(`select from ${table} t where ${where(table, key)}`, [
    JSON.stringify(key),
  ]);
  return rows.length > 0;
}

function where(table: string, key: RowKey): string {
  return Object.keys(key)
    .map((column) => `t.${quote(column)} = (jsonb_populate_record(null::${table}, $1)).${quote(column)}`)
    .join(' and ');
}

function keyReadable({ facts }: Question, key: RowKey): boolean {
  return Object.keys(key).every((name) =>
    facts.columns.some((column) => column.name === name && column.select),
  );
}

/** What a test comes to, or the code of the error that evaluating it meets. */
const TRUTH = `create function pg_temp.explain_truths(side text, count int, row_text text) returns text[]
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  answers text[] := '{}';
  answer boolean;
begin
  for at in 1..count loop
    begin
      execute format('select pg_temp.%I($1)', 'explain_' || side || '_' || at) into answer using row_text;
      answers := answers || coalesce(answer::text, 'null');
    exception
      when others then answers := answers || sqlstate::text;
    end;
  end loop;
  return answers;
end $$`;

/** Bodies are parsed when they are made, so the role need not be able to name what they name. */
function testFunctions(
  side: Side,
  tests: readonly string[],
  table: string,
  name: string,
  before = 0,
): string[] {
  return tests.map(
    (
      test,
      at,
    ) => `create function pg_temp.explain_${side}_${before + at + 1}(text) returns boolean language sql
      begin atomic select (${test}) and true from unnest(array[$1::${table}]) as ${quote(name)}; end`,
  );
}

function besideFunctions(
  side: Side,
  before: number,
  tests: readonly string[],
  table: string,
  name: string,
): string[] {
  return testFunctions(side, tests, table, name, before).map(
    (make) =>
      `do language plpgsql ${pg.escapeLiteral(`begin execute ${pg.escapeLiteral(make)}; exception when others then null; end`)}`,
  );
}

function newRow({ asked }: Question, table: string, defaults: string): string {
  const body =
    asked.command === 'insert'
      ? `jsonb_populate_record(null::${table}, jsonb_build_object(${defaults}) || $2)`
      : `jsonb_populate_record($1::${table}, $2)`;
  return `create function pg_temp.explain_new(text, jsonb) returns text language sql begin atomic select ${body}::text; end`;
}

/** Defaults of columns that an insert leaves out, but for sequences, which a question must not move on. */
async function defaultsOf(connection: Connection, { facts, asked }: Question): Promise<string> {
  if (asked.command !== 'insert') return '';
  const rows = await connection.query<{ name: string; text: string }>(sql`
    select a.attname as name, pg_get_expr(d.adbin, d.adrelid) as text
    from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = to_regclass(${`${quote(facts.schema)}.${quote(facts.table)}`}) and a.attgenerated = ''
      and not a.attname = any (${Object.keys(asked.values ?? {})}) and pg_get_expr(d.adbin, d.adrelid) !~ 'nextval\\('`);
  return rows.map(({ name, text }) => `${pg.escapeLiteral(name)}, to_jsonb(${text})`).join(', ');
}
