import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LedgerEntry, openLedger } from '../../src/evidence/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { letTimePass, makeOfficers } from '../support/erasures.js';
import { temporaryFolder } from '../support/evidence.js';
import { evidenceIn } from '../support/evidence-context.js';
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

describe('from its request to its certificate', () => {
  let officers: OperatorConsole[];
  let number: string;
  const grandmother = () => family.gran;
  const asked = () => [number, ...WHY];
  beforeAll(async () => {
    officers = [];
    for (const operator of await makeOfficers(database))
      officers.push(await operatorConsole(database, { operator, owner: false }));
    const [first] = officers as [OperatorConsole];
    for (const purpose of ['signing', 'ledger'])
      await first.json(['evidence', 'key', 'create', '--for', purpose, ...WHY]);
    family = await makeFamily(database, { name: 'Bélanger', person: 'Odile Bélanger' });
    const about = [
      '--kind',
      'deletion',
      '--channel',
      'mail',
      '--asks',
      'all of it',
      '--user',
      family.gran.id,
    ];
    number = (await first.json(['request', 'open', ...about, ...WHY, '--yes'])).body.result.request.number;
    await first.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);
  });
  const run = (words: readonly string[]) => (officers[0] as OperatorConsole).json(['erasure', ...words]);

  test('a second operator approves the plan; then the account is closed, and nothing is erased before its day', async () => {
    const schedule = ['schedule', ...asked(), '--ground', 'consent_withdrawn', '--yes'];
    const pending = await run(schedule);
    expect(pending.code).toBe(8);
    const { id } = pending.body.result.approval;
    expect(
      (await (officers[1] as OperatorConsole).json(['approval', 'grant', id, ...WHY, '--yes'])).code,
    ).toBe(0);
    const done = await run(schedule);
    expect([done.code, done.body.result.erasure]).toMatchObject([0, { state: 'scheduled', families: [] }]);
    const early = await run(['run', ...asked(), '--confirm', number]);
    expect([early.code, early.body.error.code]).toEqual([6, 'not_due']);
    expect((await run(['list'])).body.result.erasures).toMatchObject([
      { request: number, state: 'scheduled' },
    ]);
  });

  test('cancelled, and scheduled again under an approval of its own', async () => {
    expect((await run(['cancel', ...asked(), '--yes'])).body.result.erasure.state).toBe('cancelled');
    const again = await run(['cancel', ...asked(), '--yes']);
    expect([again.code, again.body.error.code]).toEqual([6, 'too_late']);
    const schedule = ['schedule', ...asked(), '--ground', 'purpose_ended', '--yes'];
    const { id } = (await run(schedule)).body.result.approval;
    await (officers[1] as OperatorConsole).json(['approval', 'grant', id, ...WHY, '--yes']);
    expect((await run(schedule)).code).toBe(0);
    await letTimePass(database, number);
  });

  test('it asks for the number of the request, erases, looks for what is left, and waits for others outside', async () => {
    const look = await run(['run', ...asked(), '--dry-run']);
    expect([look.code, look.body.result.dry_run]).toEqual([0, true]);
    expect((await run(['run', ...asked()])).code).toBe(7);
    expect((await run(['run', ...asked(), '--confirm', 'REQ-1999-0001'])).code).toBe(2);
    expect((await run(['show', number])).body.result.erasure.state).toBe('due');
    const done = await run(['run', ...asked(), '--confirm', number]);
    expect([done.code, done.body.result], JSON.stringify(done.body)).toMatchObject([
      8,
      { erasure: { state: 'proven' }, left: [] },
    ]);
    expect(done.body.result.outside).toMatchObject([{ recipient: 'email' }, { recipient: 'payments' }]);
    // Run again it does nothing, and says the same.
    expect((await run(['resume', ...asked()])).code).toBe(8);
    const rows = await withConnection(database.superuser, (connection) =>
      connection.query('select email, display_name from public.users where id = $1', [grandmother().id]),
    );
    expect(JSON.stringify(rows)).not.toContain(grandmother().email);
  });

  test('the ledger knows them again, and holds nothing of them', async () => {
    const [first] = officers as [OperatorConsole];
    const { result: record } = (await first.json(['evidence', 'show', 'erasures/1'])).body;
    expect(record.record).toMatchObject({ type: 'erasure', content: { request: number, families: 0 } });
    const { identifiers } = record.record.content;
    expect(identifiers.map(({ names }: { names: string }) => names)).toEqual(['email', 'person']);
    const ledger = await openLedger(evidenceIn(first.env.NESTCTL_HOME ?? '', 'test'), 'erasure');
    expect(identifiers.map((one: LedgerEntry) => ledger.matches(`person:${grandmother().id}`, one))).toEqual([
      false,
      true,
    ]);
    expect(ledger.matches(`email:${grandmother().email}`, identifiers[0])).toBe(true);
    expect(JSON.stringify(record)).not.toMatch(new RegExp(`${grandmother().id}|${grandmother().email}`));
    expect((await first.json(['evidence', 'verify'])).code).toBe(0);
    expect((await run(['ledger', 'list'])).body.result.entries).toMatchObject([
      { record: 'erasures/1', request: number, identifiers: 2, database: 'same' },
    ]);
    expect((await run(['ledger', 'verify'])).code).toBe(0);
  });

  test('a console without the ledger says that it is missing, and one whose database was restored who is back', async () => {
    const other = officers[1] as OperatorConsole;
    const missing = await other.json(['erasure', 'ledger', 'verify', ...WHY]);
    expect([missing.code, missing.body.result.missing]).toEqual([3, [number]]);
    const restored = await createTestDatabase();
    try {
      const operator = await restored.makeOperator('auditor');
      const elsewhere = await operatorConsole(restored, { operator, owner: false });
      const env = { NESTCTL_HOME: (officers[0] as OperatorConsole).env.NESTCTL_HOME ?? '' };
      const back = await elsewhere.json(['erasure', 'ledger', 'verify', ...WHY], { env });
      expect([back.code, back.body.result.entries]).toMatchObject([
        3,
        [{ request: number, database: 'unknown' }],
      ]);
    } finally {
      await restored.drop();
    }
  });

  test('the certificate says what is open, until all others have followed; and names nobody', async () => {
    const file = join(temporaryFolder(), 'attestation.html');
    const certify = ['certificate', ...asked(), '--file', file, '--language', 'fr'];
    const partly = await run(certify);
    expect([partly.code, partly.body.result.facts.outside]).toMatchObject([
      0,
      [{ outcome: null }, { outcome: null }],
    ]);
    const settle = (recipient: string, outcome: string) =>
      run(['settle', number, recipient, '--outcome', outcome, '--reference', 'EM-7', ...WHY, '--yes']);
    const first = await settle('email', 'erased');
    expect([first.code, first.body.result.erasure.state]).toEqual([8, 'proven']);
    const last = await settle('payments', 'not_held');
    expect([last.code, last.body.result.erasure.state]).toEqual([0, 'complete']);
    expect((await settle('email', 'erased')).body.error.code).toBe('settled');
    expect((await settle('sms', 'erased')).code).toBe(5);
    const [whole, once] = [await run(certify), await run(certify)];
    expect(whole.body.result.facts.outside).toMatchObject([{ outcome: 'erased' }, { outcome: 'not_held' }]);
    expect(once.body.result.evidence).toBe(whole.body.result.evidence);
    const page = readFileSync(file, 'utf8');
    expect(page).toContain('Attestation de destruction');
    for (const theirs of [grandmother().id, grandmother().email, 'Odile'])
      expect(page + JSON.stringify(whole.body)).not.toContain(theirs);
    const left = await withConnection(database.superuser, (connection) =>
      connection.query('select 1 from privacy.erasure_identifiers'),
    );
    expect(left).toEqual([]);
  });
});
