import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'their letter of today', '--ticket', 'PRIV-12'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;
let number: string;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', person: 'Mary' });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
  const asked = [
    '--kind',
    'correction',
    '--channel',
    'mail',
    '--asks',
    'I am Marie',
    '--user',
    family.gran.id,
  ];
  number = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request.number;
  await me.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);
});
afterAll(() => database?.drop());

const request = (verb: string, ...words: string[]) => me.json(['request', verb, number, ...words, ...WHY]);

test('a name is corrected, who has it is told, and only then the request is fulfilled', async () => {
  const where = ['--table', 'users', '--row', family.gran.id, '--column', 'display_name'];
  expect(await request('correct', ...where, '--yes')).toMatchObject({
    code: 2,
    body: { error: { next: 'nestctl request correct --help' } },
  });
  expect(await request('correct', ...where, '--value', 'Mary', '--yes')).toMatchObject({
    code: 6,
    body: { error: { code: 'nothing_to_correct' } },
  });
  const dry = await request('correct', ...where, '--value', 'Marie', '--dry-run');
  expect(dry.body.result.plan).toMatchObject({ was: 'Mary', becomes: 'Marie', recipients: ['email'] });
  const amend = ['request', 'correct', number, ...where, '--value', 'Marie', ...WHY, '--yes'];
  const { code, stdout, stderr } = await me.run(amend);
  expect([code, stdout]).toEqual([0, expect.stringContaining('public.users.display_name is amended.')]);
  expect(stderr).toContain(`nestctl request notify ${number} --recipient email`);
  expect(await request('fulfil', '--told', 'it is corrected', '--yes')).toMatchObject({
    code: 6,
    body: { error: { next: `nestctl request notify ${number} --recipient email` } },
  });
  expect(await request('notify', '--recipient', 'sms', '--yes')).toMatchObject({
    code: 6,
    body: { error: { code: 'nobody_to_tell' } },
  });
  const told = await request('notify', '--recipient', 'email', '--yes');
  expect([told.code, told.body.result.notices]).toEqual([
    0,
    [{ recipient: 'email', told_on: expect.any(String), why_not: null }],
  ]);
  const shown = (await me.run(['request', 'show', number])).stdout;
  expect(shown).toContain('What was corrected');
  expect(shown).toContain('public.users.display_name');
  expect((await request('fulfil', '--told', 'it is corrected', '--yes')).code).toBe(0);
});
