import type pg from 'pg';
import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import { databaseError } from '../../platform/database/errors.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

/** The role that members of families have. */
const MEMBERS = 'authenticated';
/** Milliseconds: nobody's work waits for somebody who looks into something. */
const LOCK_TIMEOUT = 2_000;
const STATEMENT_TIMEOUT = 60_000;

/** Rows as a statement gave them back, columns by place: a query may name two alike. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** How many the statement returned or touched. */
  readonly count: number;
}

/** Runs one statement as a person, in the transaction that is open. The database lets a live impersonation grant alone do it. */
export async function runAsPerson(connection: Session, person: string, statement: string): Promise<Answer> {
  const claims = JSON.stringify({ sub: person, role: MEMBERS });
  await connection.query(sql`
    select set_config('lock_timeout', ${String(LOCK_TIMEOUT)}, true), set_config('statement_timeout', ${String(STATEMENT_TIMEOUT)}, true),
      set_config('request.jwt.claim.sub', '', true), set_config('request.jwt.claims', ${claims}, true),
      set_config('role', ${MEMBERS}, true)`);
  const answer = await runOne(connection, statement);
  const { stands } = await connection.one<{ stands: boolean }>(sql`
    select current_setting('role') = ${MEMBERS} and current_setting('request.jwt.claims') = ${claims} as stands`);
  if (stands) return answer;
  throw new NestctlError('The statement left the person it was run as. Nothing of it was kept.', {
    kind: 'not_allowed',
    code: 'left_the_person',
  });
}

/** Goes back to the operator's own duty within the transaction. */
export async function actAsOneself(session: Session): Promise<void> {
  await session.query(sql`
    select set_config('role', ${`nestsync_${session.duty}`}, true), set_config('request.jwt.claims', '', true)`);
}

/** In the extended protocol, which knows no second statement in a text. */
export async function runOne(connection: Connection, text: string): Promise<Answer> {
  const config = { text, rowMode: 'array', queryMode: 'extended' } as const;
  try {
    const result = await connection.client.query<unknown[]>(config as pg.QueryArrayConfig);
    return {
      columns: distinct(result.fields.map(({ name }) => name)),
      rows: result.rows,
      count: result.rowCount ?? 0,
    };
  } catch (error) {
    throw personError(error) ?? databaseError(error, connection.target);
  }
}

/** Errors of the statement itself, which are no fault of the operator's rights or of the database. */
function personError(error: unknown): NestctlError | undefined {
  const { code = '', message = '' } = error as pg.DatabaseError;
  const said = message.charAt(0).toUpperCase() + message.slice(1);
  if (code === '42501')
    return new NestctlError(`The person may not do this: ${message}.`, {
      kind: 'not_allowed',
      code: 'person_may_not',
      hint: 'Ask why: nestctl access explain.',
    });
  if (code === '25006')
    return new NestctlError('This would write, and it runs in a read-only transaction.', {
      kind: 'usage',
      code: 'would_write',
      hint: 'What calls a function that writes is not run as somebody else.',
    });
  // Messages of class 42 name objects, never a value of a row.
  return code.startsWith('42')
    ? new NestctlError(`${said}.`, { kind: 'usage', code: 'invalid_statement' })
    : undefined;
}

function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}_${times}`;
  });
}
