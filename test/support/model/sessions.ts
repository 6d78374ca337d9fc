import pg from 'pg';
import type { ConnectionTarget } from '../../../src/platform/database/target.js';

/** A plain driver client, as anybody with the password has: nothing of nestctl's between the test and the server. */
export async function open(target: ConnectionTarget): Promise<pg.Client> {
  const { host, port, database, user, password } = target;
  const client = new pg.Client({ host, port, database, user, password: password as string });
  await client.connect();
  return client;
}

/** What became of one statement: `ok` or the SQLSTATE; the keys it gave back; how many rows it touched. */
export interface Outcome {
  readonly state: string;
  readonly keys: ReadonlySet<string>;
  readonly affected: number;
}

/**
 * A function that tries statements one after the other and undoes each. One that begins with `with` answers with an
 * array of keys. Everybody may call it, and it runs with the caller's rights.
 */
export async function prepareAttempts(client: pg.Client): Promise<void> {
  await client.query(`
    create function pg_temp.attempt(statements text[])
      returns table (state text, keys text[], affected bigint, at double precision) language plpgsql as $$
    declare
      statement text;
    begin
      foreach statement in array statements loop
        state := 'ok';
        keys := null;
        affected := 0;
        at := extract(epoch from statement_timestamp()) * 1000;
        begin
          if statement like 'with %' then
            execute statement into keys;
            affected := coalesce(cardinality(keys), 0);
          else
            execute statement;
            get diagnostics affected = row_count;
          end if;
          raise exception using errcode = 'UNDO0';
        exception
          when sqlstate 'UNDO0' then
            null;
          when others then
            state := sqlstate;
            keys := null;
            affected := 0;
        end;
        return next;
      end loop;
    end $$`);
}

/** Tries the statements as whoever the session is now. `now`: the time they ran at, milliseconds. */
export async function attempt(
  client: pg.Client,
  statements: readonly string[],
): Promise<{ outcomes: Outcome[]; now: number }> {
  const { rows } = await client.query<{ state: string; keys: string[] | null; affected: string; at: number }>(
    'select state, keys, affected, at from pg_temp.attempt($1)',
    [statements],
  );
  return {
    outcomes: rows.map(({ state, keys, affected }) => ({
      state,
      keys: new Set(keys ?? []),
      affected: Number(affected),
    })),
    now: rows[0]?.at ?? 0,
  };
}

/** An INSERT of one row with its values written out. */
export function insertStatement(table: string, values: Readonly<Record<string, unknown>>): string {
  const columns = Object.keys(values).join(', ');
  const json = pg.escapeLiteral(JSON.stringify(values));
  return `insert into public.${table} (${columns}) select ${columns} from json_populate_record(null::public.${table}, ${json}::json)`;
}
