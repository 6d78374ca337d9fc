import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';

let database: TestDatabase;
let me: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('support'), owner: false });
});
afterAll(() => database?.drop());

const asOwner = (statement: string) => withConnection(database.owner, (owner) => owner.query(statement));

test('a clean database passes without a grant, and what is meant so is said with its reason', async () => {
  const { code, body } = await me.json(['access', 'lint']);
  expect(code).toBe(0);
  const meant = (name: string, object: string) =>
    expect.objectContaining({ name, object, meant: expect.any(String) });
  expect(body.result.findings).toHaveLength(5);
  expect(body.result.findings).toEqual(
    expect.arrayContaining([
      meant('definer_view', 'public.member_profiles'),
      meant('no_primary_key', 'audit.archived_rows'),
      meant('no_primary_key', 'audit.pruned_rows'),
      meant('no_primary_key', 'audit.unlogged_rows'),
      meant('policy_without_index', 'policy archive_objects_staff_select on audit.archive_objects'),
    ]),
  );
  const { stdout } = await me.run(['access', 'lint']);
  expect(stdout).toContain('meant so: ');
  expect(stdout).toContain('All is well.');
});

test('a mistake ends with 3 in text, JSON and SARIF, with what mends it; the rest is a usage error', async () => {
  await asOwner(
    'create table public.loose (id int primary key); grant select on public.loose to authenticated',
  );
  try {
    const { code, stdout } = await me.run(['access', 'lint', '--format', 'sarif']);
    const [run] = JSON.parse(stdout).runs;
    expect(code).toBe(3);
    expect(
      run.results.filter(({ suppressions }: { suppressions: object[] }) => suppressions.length === 0),
    ).toEqual([
      expect.objectContaining({
        ruleId: 'rls_disabled',
        level: 'error',
        locations: [{ logicalLocations: [{ fullyQualifiedName: 'public.loose' }] }],
        message: { text: expect.stringContaining('alter table public.loose enable row level security') },
      }),
    ]);
    expect(run.tool.driver.rules[run.results[0].ruleIndex].id).toBe(run.results[0].ruleId);
    expect((await me.json(['access', 'lint', '--schema', 'ops'])).code).toBe(0);
    expect((await me.json(['access', 'lint', '--skip', 'rls_disabled'])).code).toBe(0);
    for (const [flag, value, error] of [
      ['--rule', 'nonsense', 'unknown_rule'],
      ['--schema', 'nowhere', 'unknown_schema'],
      ['--role', 'nobody', 'unknown_role'],
    ] as const) {
      const refused = await me.json(['access', 'lint', flag, value]);
      expect([refused.code, refused.body.error.code]).toEqual([2, error]);
    }
  } finally {
    await asOwner('drop table public.loose');
  }
});
