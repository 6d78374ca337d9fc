import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());

const registered = async (logins: readonly string[]) => {
  const superuser = await open(database.superuser);
  const { rows } = await superuser.query(
    `select d.login, d.duty, has_database_privilege(d.login, current_database(), 'connect') as connects
       from ops.operator_duties d where d.login = any ($1) order by d.login`,
    [logins],
  );
  await superuser.end();
  return rows;
};

test('ten operators are registered at once', async () => {
  const made = await Promise.all(Array.from({ length: 10 }, () => database.makeOperator('support')));
  const logins = made.map(({ user }) => user).sort();
  expect(await registered(logins)).toEqual(
    logins.map((login) => ({ login, duty: 'support', connects: true })),
  );
});

test('one that is being registered is waited for, and then the next one is', async () => {
  const people = [await database.makeLogin(), await database.makeLogin()].map(({ user }) => user);
  const [first, second, watcher] = [
    await open(database.superuser),
    await open(database.superuser),
    await open(database.superuser),
  ];
  const register = (client: typeof first, login: string | undefined) =>
    client.query('select ops.register_operator($1, $1, $2, $3)', [
      login,
      `${login}@nestsync.example`,
      ['sre'],
    ]);
  const pid = (await second.query('select pg_backend_pid() as pid')).rows[0].pid;
  await first.query('begin');
  await register(first, people[0]);
  const later = register(second, people[1]);
  await expect
    .poll(async () => {
      const { rows } = await watcher.query('select cardinality(pg_blocking_pids($1)) as blocked', [pid]);
      return rows[0].blocked;
    })
    .toBe(1);
  await first.query('commit');
  await later;
  expect(await registered(people)).toHaveLength(2);
  for (const client of [first, second, watcher]) await client.end();
});
