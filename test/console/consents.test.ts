import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'her letter of 20 November', '--ticket', 'PRIV-7'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  await asService(database, async (service) => {
    await service.query(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, consent_method) values ($1, 'analytics', 'granted', '2026-01', '2026-02-01', 'app')`,
      [family.core.id],
    );
    await service.query('update public.users set analytics_consent = true where id = $1', [family.core.id]);
  });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
afterAll(() => database?.drop());

const shown = async () =>
  (await me.json(['consent', 'show', family.core.id, '--type', 'analytics', ...WHY])).body.result.consents[0];

test('a consent is shown with what rests on it, withdrawn after its plan, and told in its history', async () => {
  expect(await shown()).toMatchObject({ status: 'granted', version: '2026-01', setting: true });
  const { stdout } = await me.run(['consent', 'show', family.core.id, '--type', 'analytics']);
  expect(stdout).toMatch(/counted no more/);
  expect(stdout).toMatch(/public\.analytics_events/);

  const withdraw = ['consent', 'withdraw', family.core.id, '--type', 'analytics', '--how', 'letter', ...WHY];
  const dry = await me.json([...withdraw, '--dry-run']);
  expect(dry.body.result).toMatchObject({
    dry_run: true,
    plan: { how: 'letter', before: { status: 'granted' } },
  });
  expect((await me.json(withdraw)).code).toBe(7);
  expect((await shown()).status).toBe('granted');

  const done = await me.json([...withdraw, '--yes']);
  expect([done.code, done.body.result.consent]).toMatchObject([0, { status: 'withdrawn', setting: false }]);
  expect(done.body.meta.events.tables.map((one: { table: string }) => one.table).sort()).toEqual([
    'public.consent_records',
    'public.users',
  ]);
  expect(await me.json([...withdraw, '--yes'])).toMatchObject({
    code: 6,
    body: { error: { code: 'no_change', next: `nestctl consent show ${family.core.id}` } },
  });

  const { turns } = (await me.json(['consent', 'history', family.core.id])).body.result;
  expect(turns).toMatchObject([
    { type: 'analytics', status: 'granted', method: 'app', duty: null },
    { type: 'analytics', status: 'withdrawn', method: 'letter', duty: 'compliance', ticket: 'PRIV-7' },
  ]);
});

test('a setting that is not as recorded is told', async () => {
  await asService(database, (service) =>
    service.query('update public.users set marketing_consent = true where id = $1', [family.gran.id]),
  );
  const { stdout } = await me.run(['consent', 'show', family.gran.id, ...WHY]);
  expect(stdout).toMatch(/marketing +none .*on: not as recorded/);
});

test('consents are not the business of support, nor of nobody', async () => {
  const support = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  expect((await support.json(['consent', 'show', family.core.id, ...WHY])).code).toBe(4);
  const ungranted = await me.json(['consent', 'show', '00000000-0000-4000-8000-000000000000', ...WHY]);
  expect(ungranted.code).toBe(5);
});
