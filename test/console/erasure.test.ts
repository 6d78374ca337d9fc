import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'her request of 3 November', '--ticket', 'DSR-21'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', person: 'Gisèle Roy' });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
afterAll(() => database?.drop());

test('a plan tells what happens table by table, to each family and outside, and what stands against it', async () => {
  const asked = ['--kind', 'deletion', '--channel', 'mail', '--asks', 'all of it', '--user', family.gran.id];
  const { number } = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request;
  const plan = ['erasure', 'plan', number, ...WHY];
  const blocked = await me.json(plan);
  expect([blocked.code, blocked.body.result.gates]).toMatchObject([3, [{ gate: 'identity' }]]);
  await me.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);

  const { code, stdout } = await me.run(plan);
  expect(code).toBe(0);
  expect(stdout).toMatch(/stays +others are in it/);
  expect(stdout).toMatch(/public\.family_members +the person +deleted +1/);
  expect(stdout).toMatch(/public\.users +the person +anonymized +1/);
  expect(stdout).toMatch(/public\.usage_logs +a family that stays +stays +1/);
  expect(stdout).toMatch(/the sender of e-mail/);
  expect(stdout).toMatch(/Nothing stands against it now/);
  // Counts and names of columns, but nobody's data.
  expect(stdout).not.toMatch(/Gisèle|gran-/);

  const file = join(temporaryFolder(), 'plan.csv');
  expect((await me.run([...plan, '--format', 'csv', '--output', file])).code).toBe(0);
  const [head, ...rows] = readFileSync(file, 'utf8').trim().split('\r\n');
  expect(head).toBe('table,rows of,becomes,rows,columns,kept under');
  expect(rows.length).toBe((await me.json(plan)).body.result.steps.length);
});

test('a request that no erasure answers, and one that is not there', async () => {
  const asked = ['--kind', 'access', '--channel', 'mail', '--asks', 'all of it', '--user', family.core.id];
  const { number } = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request;
  const access = await me.json(['erasure', 'plan', number, ...WHY]);
  expect([access.code, access.body.error.code]).toEqual([6, 'not_erasable']);
  expect((await me.json(['erasure', 'plan', 'REQ-1999-0001', ...WHY])).code).toBe(5);
});
