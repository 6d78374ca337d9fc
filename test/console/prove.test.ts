import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1234'];

let database: TestDatabase;
let me: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database);
});
afterAll(() => database?.drop());

const asOwner = (statement: string) => withConnection(database.owner, (owner) => owner.query(statement));

test('prove ends with 0 where isolation holds, and weakens nothing outside of a local context unasked', async () => {
  const { code, body } = await me.json(['access', 'prove', '--table', 'payment_methods,role_permissions']);
  expect(code).toBe(0);
  expect(body.result).toMatchObject({ holds: true, counterexamples: [], mutation: null, scripts: [] });
  const { stdout } = await me.run(['access', 'prove', '--table', 'role_permissions', '--mutation']);
  expect(stdout).toContain('Isolation holds');
  expect(stdout).toContain('Mutation score 100 %');
  expect(stdout).toContain('changes nothing: ');
});

test('prove ends with 3 and writes scripts that show what is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nestctl-prove-'));
  await asOwner(`create policy hole on public.subscriptions for select to authenticated using (true)`);
  try {
    const scripts = join(folder, 'scripts');
    const { code, stdout } = await me.run([
      'access',
      'prove',
      '--table',
      'subscriptions',
      '--scripts',
      scripts,
    ]);
    expect(code).toBe(3);
    expect(stdout).toContain('Isolation does not hold');
    const [name = ''] = await readdir(scripts);
    const script = await readFile(join(scripts, name), 'utf8');
    expect(stdout).toContain(script.split('\n')[0]);
    const shown = await promisify(execFile)('psql', [
      '-XAt',
      '-f',
      join(scripts, name),
      database.url(database.owner.user),
    ]);
    expect(shown.stdout).toContain('ok:0|ok:1');
  } finally {
    await asOwner('drop policy hole on public.subscriptions');
    await rm(folder, { recursive: true });
  }
});

test('prove ends with 9 where a table is open to members of which nothing is declared', async () => {
  await asOwner(
    'create table public.novel (id int primary key); grant select on public.novel to authenticated',
  );
  const { code, body } = await me
    .json(['access', 'prove', '--table', 'role_permissions'])
    .finally(() => asOwner('drop table public.novel'));
  expect(code).toBe(9);
  expect(body.result.undeclared).toEqual(['novel']);
});

test('prove refuses a table that it knows nothing of, and a context without an owner', async () => {
  expect((await me.json(['access', 'prove', '--table', 'childern'])).code).toBe(2);
  const nobody = await operatorConsole(database, { owner: false });
  expect((await nobody.json(['access', 'prove'])).code).toBe(4);
});

test('matrix fits eight members into eighty columns, and gives whole words as CSV and JSON', async () => {
  const family = await makeFamily(database, { name: 'Tremblay' });
  for (const name of ['papa', 'grand.papa', 'tante', 'nurse', 'daycare', 'camp'])
    await asOwner(`with u as (insert into public.users (email, status) values ('${name}@example.ca', 'active') returning id)
      insert into public.family_members (family_id, user_id, role) select '${family.id}', id, '${name === 'daycare' ? 'institutional' : 'professional'}' from u`);
  const { code, stdout } = await runOnTerminal(['access', 'matrix', '--family', family.id, ...WHY], {
    env: { ...me.env, NO_COLOR: '1' },
    columns: 80,
  });
  expect(code).toBe(0);
  const lines = stdout.replaceAll('\r', '').split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  // All eight stand beside each other, none left out for want of width.
  expect(lines.find((line) => line.includes('usage_logs'))?.match(/[Aotmsx-]{4}(?= |$|│)/g)).toHaveLength(8);
  expect(stdout).toContain('tmm-');
  const csv = await me.run(['access', 'matrix', '--family', family.id, ...WHY, '--format', 'csv']);
  expect(csv.stdout.split(/\r?\n/)[0]).toBe(
    'member,user,role,table,select,insert,update,delete,planned select,planned insert,planned update,planned delete',
  );
  expect(csv.stdout).toContain(
    `${family.gran.email},${family.gran.id},extended_family,usage_logs,all,own,own,own`,
  );
  const { body } = await me.json([
    ...['access', 'matrix', '--family', family.id, ...WHY],
    ...['--compare', `${family.gran.email}=professional`],
  ]);
  expect(body.result.lines).toHaveLength(8 * 16);
  expect(
    body.result.lines.find(
      (line: { user_id: string; table: string }) =>
        line.user_id === family.gran.id && line.table === 'inventory_items',
    ),
  ).toMatchObject({ cells: { select: 'all' }, planned: { select: 'none' } });
});
