import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'a father asks for his daughter’s log', '--ticket', 'PRIV-12'];

let database: TestDatabase;
let me: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
afterAll(() => database?.drop());

const list = () => me.json(['guardian', 'list', '--family', family.id, ...WHY]);

test('a guardian is planned, recorded, listed with whether they may act, and ended', async () => {
  const child = ['--family', family.id, '--child', family.child];
  const add = ['guardian', 'add', ...child, '--user', family.core.email, '--from', '2025-02-03', ...WHY];
  expect(await me.json([...add, '--basis', 'parent', '--evidence', 'will', '--yes'])).toMatchObject({
    code: 2,
    body: { error: { message: 'Parent is shown by act_of_birth or court_order.' } },
  });
  const parent = [
    ...add,
    '--basis',
    'parent',
    '--evidence',
    'act_of_birth,court_order',
    '--limit',
    'supervised',
  ];
  const dry = await me.json([...parent, '--dry-run']);
  expect(dry.body.result).toMatchObject({
    dry_run: true,
    plan: { user_id: family.core.id, basis: 'parent' },
  });
  expect(dry.body.result.plan.email).toMatch(/^c…@/);
  expect((await me.json(parent)).code).toBe(7);
  expect((await list()).body.result.guardians).toEqual([]);

  const { code, body } = await me.json([...parent, '--yes']);
  expect(code).toBe(0);
  const { id } = body.result.guardian;
  expect((await list()).body.result.guardians).toMatchObject([
    { id, email: family.core.email, limits: ['supervised'], may_act: true, why: 'guardian' },
  ]);
  // What would be refused is refused in the dry run too.
  expect(await me.json([...parent, '--dry-run'])).toMatchObject({
    code: 6,
    body: { error: { next: `nestctl guardian list --family ${family.id} --child ${family.child}` } },
  });

  const end = ['guardian', 'end', id, '--family', family.id, '--because', 'deprivation', ...WHY];
  expect((await me.json([...end, '--on', '2025-01-01', '--yes'])).code).toBe(6);
  expect((await me.json([...end, '--dry-run'])).body.result.plan).toMatchObject({
    before: { id },
    ground: 'deprivation',
  });
  expect((await me.json([...end, '--yes'])).code).toBe(0);
  expect((await list()).body.result.guardians).toMatchObject([
    { id, end_ground: 'deprivation', may_act: false, why: 'over' },
  ]);
  expect((await me.run(['guardian', 'list', '--family', family.id])).stdout).toMatch(/no: over/);
  expect((await me.json([...end, '--yes'])).code).toBe(6);
});

test('somebody is one person, and days are days', async () => {
  const add = ['guardian', 'add', '--family', family.id, '--child', family.child, '--basis', 'parent'];
  const rest = ['--evidence', 'act_of_birth', ...WHY, '--yes'];
  const both = ['--user', family.core.email, '--name', 'Marie', '--from', '2025-02-03'];
  expect((await me.json([...add, ...both, ...rest])).code).toBe(2);
  expect(await me.json([...add, '--from', '2025-02-03', ...rest])).toMatchObject({
    code: 7,
    body: { error: { code: 'guardian_missing' } },
  });
  expect((await me.json([...add, '--name', 'Marie', '--from', '2025-02-30', ...rest])).code).toBe(2);
  expect((await me.json([...add, '--name', '\u001b[31mMarie', '--from', '2025-02-03', ...rest])).code).toBe(
    6,
  );
});

test('it is not the business of support', async () => {
  const support = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  expect((await support.json(['guardian', 'list', '--family', family.id, ...WHY])).code).toBe(4);
});
