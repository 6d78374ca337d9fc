import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'letter of counsel of 27 November', '--ticket', 'LEG-7'];
const IN_COURT = ['--basis', 'litigation', '--matter', 'parenting order sought', '--reference', '500-04-1'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
afterAll(() => database?.drop());

test('a hold is placed after its plan, listed, reviewed, shown and released', async () => {
  expect((await me.run(['hold', 'list'])).stdout).toMatch(/No hold stands/);
  const place = ['hold', 'place', '--family', family.id, ...IN_COURT, ...WHY];
  const dry = await me.run([...place, '--dry-run']);
  expect(dry.stdout).toMatch(/nothing of the family is erased, nor of anybody who is or was in it/);
  expect((await me.json(place)).code).toBe(7);
  expect((await me.json(['hold', 'list'])).body.result.holds).toEqual([]);

  const placed = (await me.json([...place, '--yes'])).body;
  const { number, review_on } = placed.result.hold;
  expect(placed.result.hold).toMatchObject({
    subject: { kind: 'family', id: family.id },
    matter: IN_COURT[3],
  });
  expect(placed.meta.events.tables.map((one: { table: string }) => one.table)).toEqual([
    'privacy.legal_holds',
  ]);
  const list = (await me.run(['hold', 'list'])).stdout;
  expect([list.includes(number), list.includes(review_on)]).toEqual([true, true]);
  expect((await me.json([...place, '--dry-run'])).body.result.plan.standing).toEqual([number]);

  const until = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  const kept = await me.json(['hold', 'review', number.toLowerCase(), '--until', until, ...WHY, '--yes']);
  expect([kept.code, kept.body.result.hold.review_on]).toEqual([0, until]);
  expect((await me.run(['hold', 'show', number])).stdout).toMatch(/stands/);

  const release = ['hold', 'release', number, '--reason', 'settled, says counsel', '--yes', '--json'];
  expect((await me.run(release)).code).toBe(0);
  const again = await me.run(release);
  expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([6, 'released']);
  expect((await me.json(['hold', 'list', '--family', family.id])).body.result.holds).toEqual([]);
  const all = (await me.json(['hold', 'list', '--all', '--family', family.id])).body.result.holds;
  expect(all).toMatchObject([{ number, release_reason: 'settled, says counsel' }]);
});

test('whom it is on has to be said, and be there; its number is one', async () => {
  const nobody = await me.json(['hold', 'place', ...IN_COURT, ...WHY, '--yes']);
  expect([nobody.code, nobody.body.error.code]).toEqual([7, 'subject_missing']);
  const unknown = ['--user', '00000000-0000-4000-8000-000000000001'];
  expect((await me.json(['hold', 'place', ...unknown, ...IN_COURT, ...WHY, '--yes'])).code).toBe(5);
  const late = ['--family', family.id, ...IN_COURT, '--review', '2999-01-01'];
  expect((await me.json(['hold', 'place', ...late, ...WHY, '--yes'])).body.error.code).toBe('wrong_day');
  expect((await me.json(['hold', 'show', 'REQ-2026-0001'])).code).toBe(2);
  expect((await me.json(['hold', 'show', 'HOLD-1999-0001'])).code).toBe(5);
});
