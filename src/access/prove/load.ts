import pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import type { Attempt } from './attempt.js';
import { type Declaration, PROFILES, type Table } from './declaration.js';
import type { Model, ModelRow } from './model.js';

const quote = pg.escapeIdentifier;

/** Rows of a table that are loaded in one statement. */
const BATCH = 2_000;

/** Writes rows of the model into the running transaction, in their order. */
export async function loadModel(connection: Connection, rows: readonly ModelRow[]): Promise<void> {
  const batches = new Map<string, { table: Table; columns: string[]; values: unknown[] }>();
  for (const { table, values } of rows) {
    const columns = Object.keys(values);
    const place = `${table}/${columns}`;
    const batch = batches.get(place) ?? { table, columns, values: [] };
    batch.values.push(values);
    batches.set(place, batch);
  }
  for (const { table, columns, values } of batches.values()) {
    const names = columns.map(quote);
    for (let from = 0; from < values.length; from += BATCH) {
      await connection.query(
        `insert into public.${table} (${names}) select ${names} from jsonb_populate_recordset(null::public.${table}, $1)`,
        [JSON.stringify(values.slice(from, from + BATCH))],
      );
    }
  }
  // Another app's login, so that "some login" and "this login" are two things.
  await connection.query(
    sql`insert into private.app_logins (login) values ('nestctl access prove') on conflict do nothing`,
  );
}

/** Writes the attempts into the running transaction, with the function that makes them. */
export async function loadAttempts(
  connection: Connection,
  attempts: readonly Attempt[],
  model: Model,
  { keys }: Declaration,
): Promise<void> {
  const people = new Set<string>();
  const families = new Set<string>();
  for (const row of model.rows) (row.table === 'users' ? people : families).add(row.owner);
  await connection.query(`
    create temp table prove_attempts (no int primary key, tab text, command text, role text, registered boolean, claims text,
      locator text, setup text, statement text, expected text, keys text[]) on commit drop;
    create temp table prove_owners (tab text primary key, key text, owner text, ids uuid[]) on commit drop;
    ${TRY}`);
  for (let from = 0; from < attempts.length; from += BATCH) {
    const batch = attempts.slice(from, from + BATCH).map((attempt) => ({
      no: attempt.no,
      tab: attempt.table,
      command: attempt.command,
      role: attempt.actor.role,
      registered: attempt.actor.registered,
      claims: claimsOf(attempt),
      locator: attempt.row === undefined ? null : locatorOf(attempt.row),
      setup: attempt.setup ?? null,
      statement: attempt.statement,
      expected: attempt.expected,
      keys: attempt.keys,
    }));
    await connection.query(
      `insert into pg_temp.prove_attempts select * from jsonb_to_recordset($1) as a (no int, tab text, command text, role text,
         registered boolean, claims text, locator text, setup text, statement text, expected text, keys text[])`,
      [JSON.stringify(batch)],
    );
  }
  const ids = { family: [...families], person: [...people, ...model.owners.map(({ person }) => person)] };
  for (const table of new Set(attempts.map((attempt) => attempt.table))) {
    const owner = ownerColumn(table);
    await connection.query(sql`
      insert into pg_temp.prove_owners values (${table}, ${owner === undefined ? `role || '/' || permission` : 'id::text'},
        ${owner ?? null}, ${owner === 'family_id' || table === 'families' ? ids.family : ids.person}::uuid[])`);
  }
  await connection.query(`create index on pg_temp.prove_attempts (registered, no)`);
  await connection.query(`create index on pg_temp.prove_attempts (tab, command, registered, no)`);
  await connection.query('analyze pg_temp.prove_attempts');
  if (keys.length === 0)
    throw new NestctlError('public.role_permissions is empty.', { kind: 'conflict', code: 'no_declaration' });
}

export function claimsOf({ actor: { person, role } }: Pick<Attempt, 'actor'>): string {
  return person === null ? '' : JSON.stringify({ sub: person, role });
}

/** The condition that finds a row by its key. */
export function locatorOf({ table, owner, id }: { table: Table; owner: string; id: string }): string {
  const column = ownerColumn(table);
  return column === 'id' ? `id = '${id}'` : `${column} = '${owner}' and id = '${id}'`;
}

/** The column by which rows belong to somebody; undefined where they belong to nobody. */
function ownerColumn(table: Table): string | undefined {
  if (table === 'role_permissions') return undefined;
  if (table === 'users' || table === 'families' || table === PROFILES) return 'id';
  return PERSON_OWNED.has(table) ? 'user_id' : 'family_id';
}

const PERSON_OWNED = new Set<Table>([
  'consent_records',
  'notification_preferences',
  'notification_logs',
  'payment_methods',
  'subscriptions',
]);

/**
 * Makes each attempt as its actor and undoes it. A row is changed and deleted through a cursor on it: without a WHERE, so
 * that the policies for SELECT do not stand in, and without reach of any other row, whatever the policies let through.
 */
const TRY = `
  create function pg_temp.prove_try(tabs text[], commands text[], enough int)
    returns table (no int, came text, extra text[], missing text[]) language plpgsql as $$
  declare
    a record;
    place record;
    the_row refcursor;
    touched bigint;
    found text[];
    found_registered boolean;
    wrong int := 0;
  begin
    for a in select t.* from pg_temp.prove_attempts t
      where (tabs is null or t.tab = any (tabs)) and (commands is null or t.command = any (commands))
      order by t.registered, t.no
    loop
      if found_registered is distinct from a.registered then
        if a.registered then
          insert into private.app_logins (login) values (session_user) on conflict do nothing;
        else
          delete from private.app_logins l where l.login = session_user;
        end if;
        found_registered := a.registered;
      end if;
      extra := null;
      missing := null;
      select o.* into place from pg_temp.prove_owners o where o.tab = a.tab;
      begin
        if a.locator is not null then
          open the_row for execute format('select from public.%I where %s', a.tab, a.locator);
          move the_row;
        end if;
        if a.setup is not null then execute a.setup; end if;
        perform set_config('request.jwt.claim.sub', '', true), set_config('request.jwt.claims', a.claims, true), set_config('role', a.role, true);
        if a.command = 'select' then
          -- Some more than are expected tell that it is too many; only the service sees everybody's.
          execute format('select array(select %s from public.%I %s limit %s)', place.key, a.tab,
            case when a.role = 'service_role' and place.owner is not null then format('where %I = any ($1)', place.owner) end,
            cardinality(a.keys) + 20) into found using place.ids;
          came := 'rows';
        else
          execute a.statement || case when a.locator is null then '' else format(' where current of %I', the_row::text) end;
          get diagnostics touched = row_count;
          came := 'ok:' || touched;
        end if;
        raise exception using errcode = 'UNDO0';
      exception
        when sqlstate 'UNDO0' then null;
        when integrity_constraint_violation then came := 'ok:1';
        when insufficient_privilege then came := 'refused';
        when others then came := case when sqlstate like 'NS%' then 'refused' else 'error ' || sqlstate end;
      end;
      if came <> a.expected then
        wrong := wrong + 1;
        no := a.no;
        return next;
      elsif came = 'rows' then
        extra := array(select unnest(found) except select unnest(a.keys) limit 20);
        -- Where it is cut short nothing can be told of what lies behind.
        missing := case when cardinality(found) < cardinality(a.keys) + 20
          then array(select unnest(a.keys) except select unnest(found) limit 20) else '{}' end;
        if cardinality(extra) + cardinality(missing) > 0 then
          wrong := wrong + 1;
          no := a.no;
          return next;
        end if;
      end if;
      exit when wrong >= enough;
    end loop;
  end $$`;
