import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { examine, type Finding } from '../../src/platform/doctor/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { operatorConsole } from '../support/operator-console.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const asOwner = (statement: string) =>
  withConnection(database.owner, (connection) => connection.query(statement));
const examined = (operator: ConnectionTarget = database.operators[0]) => examine(operator, database.owner);
const wrong = (findings: readonly Finding[]) =>
  findings
    .filter(({ level }) => level === 'error' || level === 'warning')
    .map(({ name, object }) => [name, object]);

/** The tests' server archives nothing, so that one finding is always there. */
const ALWAYS = [['archiving', 'archive_mode']];

test('exit code, shape and the finding that archiving is off', async () => {
  const me = await operatorConsole(database);
  const { code, body } = await me.json(['doctor']);
  expect([code, body.ok, Object.keys(body.result)]).toEqual([3, true, ['findings']]);
  for (const one of body.result.findings) {
    expect(Object.keys(one).sort()).toEqual(['detail', 'level', 'name', 'object', 'remedy']);
    expect(['ok', 'info', 'unknown', 'warning', 'error']).toContain(one.level);
  }
  // Nor did anybody run maintenance here yet.
  expect(wrong(body.result.findings)).toEqual([...ALWAYS, ['maintenance', null]]);
  const ok = body.result.findings
    .filter((one: Finding) => one.level === 'ok')
    .map((one: Finding) => one.name);
  for (const name of ['connection', 'server version', 'TLS', 'duties', 'migrations', 'catalogue'])
    expect(ok).toContain(name);
  // In text what is wrong comes first, and what is right takes one line a check.
  const text = await me.run(['doctor']);
  expect(text.code).toBe(3);
  expect(text.stdout.split('\n')[0]).toMatch(/^✗ archiving: /);
  expect(text.stdout.match(/^✓ duties: /gm)).toHaveLength(1);
});

test('what the owner alone can see is unknown without an owner connection, and never a pass', async () => {
  const findings = await examine(database.operators[0], undefined);
  expect(findings.find(({ name }) => name === 'catalogue')?.level).toBe('unknown');
});

// Each is put back by the remedy that doctor itself prints.
test.each([
  [
    'a dropped policy',
    'drop policy families_staff_select on public.families',
    'public.families families_staff_select',
  ],
  [
    'an audit trigger that is off',
    'alter table public.users disable trigger audit_update',
    'public.users audit_update',
  ],
  ['a table without RLS', 'alter table public.children disable row level security', 'public.children'],
  [
    'a table whose owner passes RLS',
    'alter table public.children no force row level security',
    'public.children',
  ],
  ['a policy that was added', 'create policy backdoor on public.users using (true)', 'public.users backdoor'],
])('%s is found, named, and mended by what it says', async (_, damage, object) => {
  await asOwner(damage);
  const found = (await examined()).find((one) => one.name === 'catalogue' && one.object === object);
  expect(found).toMatchObject({ level: 'error', object });
  await asOwner(found?.remedy ?? '');
  expect(wrong(await examined())).toEqual(ALWAYS);
});

test('a login that has a duty without taking it on is found, and mended by what it says', async () => {
  const operator = await database.makeOperator('support');
  const asSuperuser = (statement: string) =>
    withConnection(database.superuser, (connection) => connection.query(statement));
  await asSuperuser(`grant nestsync_support to ${operator.user} with inherit true`);
  const found = (await examined()).find(({ object, level }) => level === 'error' && object === operator.user);
  expect(found?.name).toBe('inherited_duties');
  await asSuperuser(found?.remedy ?? '');
  expect(wrong(await examined())).toEqual(ALWAYS);
});

test('a right given away outside migrations is found', async () => {
  await asOwner('grant select on public.payment_methods to nestsync_support');
  const found = (await examined()).filter(({ level, name }) => level === 'error' && name === 'catalogue');
  expect(found.map(({ object }) => object)).toEqual(['public.payment_methods']);
  await asOwner('revoke select on public.payment_methods from nestsync_support');
});

test('a pending migration is found, with the command that applies it', async () => {
  const last = await asOwner('select name from ops.migrations order by name desc limit 1');
  const behind = await createTestDatabase();
  try {
    await withConnection(behind.superuser, (connection) =>
      connection.query('delete from ops.migrations where name = $1', [(last[0] as { name: string }).name]),
    );
    const findings = await examine(behind.operators[0], behind.owner);
    expect(findings.find(({ name, level }) => name === 'migrations' && level === 'error')).toMatchObject({
      object: (last[0] as { name: string }).name,
      remedy: 'nestctl db migrate',
    });
  } finally {
    await behind.drop();
  }
});

test('an operator without a duty, with a revoked one, and a server that is down are findings', async () => {
  const nobody = await database.makeLogin('');
  expect(wrong(await examined(nobody))).toContainEqual(['duties', nobody.user]);
  const revoked = await database.makeOperator('support');
  await withConnection(database.owner, (connection) =>
    connection.query(`update ops.operator_duties set revoked_at = now() where login = $1`, [revoked.user]),
  );
  expect(wrong(await examined(revoked))).toContainEqual(['duties', revoked.user]);
  const down = await examine({ ...database.operators[0], port: 1 }, undefined);
  expect(wrong(down)).toContainEqual(['connection', database.operators[0].user]);
});
