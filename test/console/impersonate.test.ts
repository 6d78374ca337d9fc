import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'she says the log is empty', '--ticket', 'SUP-77'];

let database: TestDatabase;
let family: SmallFamily;
let me: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay', child: '=1+1' });
  me = await operatorConsole(database, { operator: await database.makeOperator('admin'), owner: false });
});
afterAll(() => database.drop());

/** With --json, which has to stand before the two dashes. */
const ask = async (args: readonly string[]) => {
  const { code, stdout, stderr } = await me.run([...args.slice(0, 2), '--json', ...args.slice(2)]);
  return { code, body: JSON.parse(stdout === '' ? stderr : stdout) };
};
const as = (...args: readonly string[]) => ['access', 'impersonate', '--user', family.gran.email, ...args];

describe('access impersonate', () => {
  test('shows what the person sees in every format, and asks for a grant first', async () => {
    const bare = await ask(as('--', 'select name from children'));
    expect([bare.code, bare.body.error.code]).toEqual([4, 'no_grant']);
    const { code, body } = await ask(as(...WHY, '--', 'select name, size_history from children'));
    expect([code, body.result]).toEqual([
      0,
      {
        person: family.gran.id,
        columns: ['name', 'size_history'],
        rows: [{ name: '=1+1', size_history: [] }],
        more: false,
      },
    ]);
    // From here on the grant is live, and lends its reason.
    const csv = await me.run(as('--format', 'csv', '--', 'select name from children'));
    expect(csv.stdout).toBe("name\r\n'=1+1\r\n");
    const lines = await me.run(as('--format', 'ndjson', '--', 'select name, 1 as name from children'));
    expect(lines.stdout).toBe('{"name":"=1+1","name_2":1}\n');
    const shown = await me.run(as('--limit', '2', '--', 'select generate_series(1, 5) as n'));
    expect(shown.stdout).toBe('N\n1\n2\n');
    expect(shown.stderr).toContain('more than 2 rows');
    expect((await me.run(as('--', 'table family_invitations'))).stdout).toContain('They see no row.');
  });

  test('writes only with --write, as many rows as were allowed, and after consent', async () => {
    const notes = () =>
      asService(database, (service) =>
        service.query<{ notes: string | null }>('select notes from public.usage_logs where family_id = $1', [
          family.id,
        ]),
      );
    await asService(database, (service) =>
      service.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, created_by) select $1, $2, 'wipe_use', $3 from generate_series(1, 2)`,
        [family.id, family.child, family.gran.id],
      ),
    );
    const update = `update usage_logs set notes = 'seen'`;
    expect((await ask(as(...WHY, '--', update))).body.error.code).toBe('would_write');
    const many = await ask(as('--write', ...WHY, '--yes', '--', update));
    expect([many.code, many.body.error.code]).toEqual([6, 'too_many_rows']);
    const dry = await ask(as('--write', '--rows', '2', '--dry-run', ...WHY, '--', update));
    expect(dry.body.result.plan).toMatchObject({ rows: 2, changeable: 2, table: 'public.usage_logs' });
    const unasked = await ask(as('--write', '--rows', '2', ...WHY, '--', update));
    expect([unasked.code, unasked.body.error.code]).toEqual([7, 'consent_missing']);
    expect((await notes()).filter((row) => row.notes === 'seen')).toEqual([]);
    const done = await me.run(
      as('--write', '--rows', '2', ...WHY, '--yes', '--', `${update} returning notes`),
    );
    expect(done.code).toBe(0);
    expect(done.stderr).toContain('2 of the 2 rows that they may update there');
    expect((await notes()).filter((row) => row.notes === 'seen')).toHaveLength(2);
  });
});
