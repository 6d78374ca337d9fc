import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'their letter to the Commissioner', '--ticket', 'PRIV-12'];

let database: TestDatabase;
let me: OperatorConsole;
let number: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const family = await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
  const asked = ['--kind', 'access', '--channel', 'mail', '--asks', 'all of it', '--user', family.gran.id];
  number = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request.number;
});
afterAll(() => database?.drop());

const complaint = (...words: string[]) => me.json(['request', 'complaint', ...words, ...WHY]);
const file = async () => (await me.json(['request', 'show', number])).body.result;

test('a complaint is planned, recorded, holds what was asked for, and is closed with the law’s own last day', async () => {
  const open = ['open', number, '--to', 'commissioner', '--reference', 'PIPEDA-12345'];
  expect((await complaint(...open)).code).toBe(7);
  expect((await complaint(...open, '--dry-run')).body.result.plan).toMatchObject({ body: 'commissioner' });
  expect((await file()).complaints).toEqual([]);
  expect(await complaint(...open, '--on', '2020-01-01', '--yes')).toMatchObject({
    code: 2,
    body: { error: { code: 'wrong_day' } },
  });
  expect(await complaint(...open, '--yes')).toMatchObject({
    code: 0,
    body: { result: { number, complaint: { reference: 'PIPEDA-12345', closed_on: null } } },
  });
  expect(await complaint(...open, '--yes')).toMatchObject({
    code: 6,
    body: { error: { code: 'complaint_open', next: `nestctl request show ${number}` } },
  });
  expect((await file()).holds.map(({ why }: { why: string }) => why)).toEqual(['complaint', 'request']);
  const shown = await me.run(['request', 'show', number]);
  expect(shown.stdout).toContain('a complaint is open; it waits for its answer');
  expect(shown.stdout).toContain('the Privacy Commissioner of Canada');

  const close = ['close', number, '--to', 'commissioner', '--outcome', 'resolved'];
  expect(await complaint(...close, '--recourse-until', '2026-12-01', '--yes')).toMatchObject({
    code: 2,
    body: { error: { code: 'recourse_too_early', next: 'nestctl request complaint close --help' } },
  });
  const { code, body } = await complaint(...close, '--yes');
  expect(code).toBe(0);
  const until = body.result.complaint.recourse_until;
  expect(Date.parse(until)).toBeGreaterThan(Date.now() + 360 * 86_400_000);
  expect((await file()).holds).toContainEqual({ why: 'complaint_recourse', until });
  expect(await complaint(...close, '--yes')).toMatchObject({
    code: 6,
    body: { error: { code: 'no_complaint' } },
  });
});
