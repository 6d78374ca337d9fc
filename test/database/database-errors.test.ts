import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { openSession } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { NestctlError } from '../../src/platform/errors.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const SECRET = 'Geneviève Tremblay, H2X 1Y4';

let database: TestDatabase;
let owner: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.superuser);
  await owner.query(`
    create schema errors;
    create table errors.people (id int primary key, name text unique not null check (name <> 'nobody'));
    create table errors.pets (person int references errors.people);
    insert into errors.people values (1, '${SECRET}');
    alter table errors.people enable row level security;
    create role errors_reader nologin;
    grant usage on schema errors to errors_reader;
    grant select, insert on errors.people to errors_reader;
    grant errors_reader to "camille.roy";
  `);
});
afterAll(async () => {
  await owner.query('drop owned by errors_reader');
  await owner.query('drop role errors_reader');
  await owner.close();
  await database.drop();
});

/** The error of a statement, checked to hold nothing of any row. */
async function errorOf(
  statement: string | (() => Promise<unknown>),
  on: Connection = owner,
): Promise<NestctlError> {
  const error = await (typeof statement === 'string' ? on.query(statement) : statement()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NestctlError);
  const found = error as NestctlError;
  expect(`${found.message} ${found.hint} ${found.next} ${String(found.cause)}`).not.toMatch(/Tremblay|H2X/);
  return found;
}

const raise = (state: string, hint = '', message = 'Why it is refused.') =>
  `do $$ begin raise exception '${message}' using errcode = '${state}'${hint && `, hint = '${hint}'`}, detail = '${SECRET}'; end $$`;

describe('our own RAISEs', () => {
  it.each([
    ['NS001', 'reason_missing', 7],
    ['NS002', 'no_grant', 4],
    ['NS003', 'quota_exceeded', 4],
    ['NS004', 'duty_not_allowed', 4],
    ['NS005', 'conflict', 6],
    ['NS006', 'not_found', 5],
    ['NS007', 'invalid_input', 2],
  ])('%s is %s, exit %i, in its own words', async (state, code, exitCode) => {
    const error = await errorOf(raise(state, 'Ask the compliance officer.'));
    expect(error).toMatchObject({
      code,
      exitCode,
      message: 'Why it is refused.',
      hint: 'Ask the compliance officer.',
    });
    expect(error.next).toBeUndefined();
  });

  it.each([
    ['a ticket is needed', 'A ticket is needed.'],
    ['camille.roy waits for a day', 'camille.roy waits for a day.'],
    ['Which one?', 'Which one?'],
  ])('are sentences: %s', async (message, said) => {
    expect((await errorOf(raise('NS001', '', message))).message).toBe(said);
  });

  it('offers a hint that is a command as the next one to type', async () => {
    const error = await errorOf(raise('NS002', 'nestctl access open --directory'));
    expect(error).toMatchObject({ next: 'nestctl access open --directory', hint: undefined });
  });
});

describe('what PostgreSQL refuses', () => {
  it.each([
    [
      'a value there already, by what must be unique',
      `insert into errors.people values (2, '${SECRET}')`,
      'already_exists',
      6,
      /^people has one with the same name already \(people_name_key\)\.$/,
    ],
    [
      'an id there already',
      "insert into errors.people values (1, 'other')",
      'already_exists',
      6,
      /^people has one with the same id already/,
    ],
    [
      'a row that refers to nothing',
      'insert into errors.pets values (99)',
      'reference_violated',
      6,
      /^What pets is to refer to is not there \(pets_person_fkey\)\.$/,
    ],
    [
      'a row that something refers to',
      'begin; insert into errors.pets values (1); delete from errors.people',
      'reference_violated',
      6,
      /^pets still refers to it \(pets_person_fkey\)\.$/,
    ],
    [
      'a CHECK',
      "insert into errors.people values (3, 'nobody')",
      'constraint_violated',
      6,
      /^A rule of the database refused the change: people, name \(people_name_check\)\.$/,
    ],
    [
      'a missing value',
      'insert into errors.people values (3, null)',
      'constraint_violated',
      6,
      /rule of the database.*people\.name must say something/,
    ],
    [
      'a table that somebody uses',
      'begin; declare c cursor for select * from errors.pets; fetch c; alter table errors.pets add x int',
      'in_use',
      6,
      /Somebody else is using it/,
    ],
    [
      'more than a value can hold',
      "select length(repeat('xx', 2000000000))",
      'too_large',
      1,
      /more than the server can do/,
    ],
    ['a cast that quotes the row', 'select name::int from errors.people', 'invalid_input', 2, /22P02/],
    ['a division that failed', 'select 1 / (id - 1) from errors.people', 'invalid_input', 2, /22012/],
    ['a table that is not there', 'select * from public.not_there', 'not_migrated', 6, /not_there/],
    ['a function that is not there', 'select private.not_there()', 'not_migrated', 6, /not_there/],
    ['a schema that is not there', 'create table nowhere.x ()', 'not_migrated', 6, /nowhere/],
    [
      'a statement that took too long',
      'set statement_timeout = 50; select pg_sleep(5)',
      'statement_timeout',
      1,
      /longer than allowed/,
    ],
    [
      'a write while reading only',
      'begin read only; delete from errors.pets',
      'read_only_server',
      6,
      /takes no writes/,
    ],
    [
      'an exception of somebody else',
      `do $$ begin raise exception '%', '${SECRET}'; end $$`,
      'database_error',
      1,
      /P0001/,
    ],
  ])('%s', async (_, statement, code, exitCode, message) => {
    const error = await errorOf(statement);
    await owner.query('rollback; reset statement_timeout');
    expect(error).toMatchObject({ code, exitCode });
    expect(error.message).toMatch(message);
  });

  it('names `db migrate` where the schema is missing or behind', async () => {
    expect((await errorOf('select * from public.not_there')).next).toBe('nestctl db migrate');
  });

  it('tells a missing right from Row Level Security, in any language of the server', async () => {
    await withConnection(
      database.as('camille.roy'),
      async (operator) => {
        const right = await errorOf('delete from errors.people', operator);
        expect(right).toMatchObject({ code: 'permission_denied', exitCode: 4 });
        const policy = await errorOf(`insert into errors.people values (9, '${SECRET}')`, operator);
        expect(policy).toMatchObject({ code: 'rls_refused', exitCode: 4 });
        expect(policy.message).toContain('people');
        await operator.query('set row_security = off');
        expect(await errorOf('select * from errors.people', operator)).toMatchObject({
          code: 'rls_refused',
          next: 'nestctl access list',
        });
      },
      { settings: { role: 'errors_reader' } },
    );
  });

  it('a lock that somebody else holds', async () => {
    await withConnection(database.superuser, async (other) => {
      await other.query('begin; lock table errors.pets');
      await withConnection(
        database.superuser,
        async (waiting) => {
          const error = await errorOf('select * from errors.pets', waiting);
          expect(error).toMatchObject({ code: 'lock_timeout', exitCode: 6 });
        },
        { lockTimeout: 50 },
      );
    });
  });

  it('a deadlock, and a change that came between', async () => {
    await withConnection(database.superuser, async (other) => {
      await owner.query("insert into errors.people values (10, 'a'), (11, 'b')");
      await owner.query('begin');
      await other.query("begin; set local deadlock_timeout = '10ms'");
      await owner.query("update errors.people set name = 'a1' where id = 10");
      await other.query("update errors.people set name = 'b1' where id = 11");
      const mine = owner.query("update errors.people set name = 'b2' where id = 11");
      expect(await errorOf("update errors.people set name = 'a2' where id = 10", other)).toMatchObject({
        code: 'deadlock',
        exitCode: 6,
      });
      await other.query('rollback');
      await mine;
      await owner.query('commit');

      await other.query('begin isolation level repeatable read; select * from errors.people');
      await owner.query("update errors.people set name = 'c' where id = 10");
      expect(await errorOf("update errors.people set name = 'd' where id = 10", other)).toMatchObject({
        code: 'serialization',
        exitCode: 6,
      });
    });
  });
});

describe('a server that cannot be used', () => {
  const changed = (part: Partial<ConnectionTarget>): ConnectionTarget => ({
    ...database.as('camille.roy'),
    ...part,
  });
  const LOCAL = { name: 'local', kind: 'local' } as const;

  it.each([
    ['is down', { port: 1 }, 'server_down', 1, undefined],
    ['is down, the local one', { port: 1, context: LOCAL }, 'server_down', 1, 'nestctl local up'],
    ['has no socket there', { host: '/nonexistent' }, 'server_down', 1, undefined],
    [
      'has a name nobody knows',
      { host: 'nowhere.invalid', sslmode: 'verify-full' },
      'host_unknown',
      1,
      undefined,
    ],
    ['does not take the password', { password: 'wrong' }, 'wrong_password', 4, undefined],
    ['does not know the login', { user: 'nobody.here', password: 'x' }, 'wrong_password', 4, undefined],
    ['lacks the database', { database: 'not_there' }, 'database_missing', 6, undefined],
    ['offers no TLS', { sslmode: 'verify-full' }, 'tls_refused', 1, undefined],
  ] as const)('%s', async (_, part, code, exitCode, next) => {
    const error = await errorOf(() => connect(changed(part)));
    expect(error).toMatchObject({ code, exitCode });
    expect(error.next).toBe(next);
  });

  it('has cut the connection off: said at the next statement, and not by a crash', async () => {
    const victim = await connect(database.superuser);
    const [{ pid } = { pid: 0 }] = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
    await owner.query('select pg_terminate_backend($1)', [pid]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const error = await errorOf('select 1', victim);
    expect(error).toMatchObject({ code: 'connection_lost', exitCode: 1 });
  });

  it('has no connection left', async () => {
    await owner.query('alter role "camille.roy" connection limit 0');
    const error = await errorOf(() => connect(changed({})));
    await owner.query('alter role "camille.roy" connection limit -1');
    expect(error).toMatchObject({ code: 'too_many_connections', exitCode: 1 });
  });
});

describe('a duty', () => {
  it('that the operator does not hold is named, with what to do', async () => {
    const operator = await database.makeOperator('support');
    const error = await errorOf(() => openSession(operator, { duty: 'admin', reason: 'r' }));
    expect(error).toMatchObject({ code: 'duty_not_held', exitCode: 4 });
    expect(error.message).toContain('"admin"');
  });

  it('is the role of the session, with its reason, ticket and request', async () => {
    const session = await openSession(database.as('camille.roy'), {
      duty: 'support',
      reason: 'why',
      ticket: 'T-1',
    });
    const [row] = await session.query(
      `select session_user::text as login, current_user::text as role, current_setting('nestsync.reason') as reason,
         current_setting('nestsync.ticket') as ticket, current_setting('nestsync.request') as request`,
    );
    await session.close();
    expect(row).toEqual({
      login: 'camille.roy',
      role: 'nestsync_support',
      reason: 'why',
      ticket: 'T-1',
      request: session.request,
    });
  });
});
