import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { peakMemory } from '../support/peak-memory.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'a history for the tests', '--ticket', 'DSR-1'];

let database: TestDatabase;
let console: OperatorConsole;
let family: SmallFamily;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  console = await operatorConsole(database, {
    operator: await database.makeOperator('auditor', 'sre', 'support'),
    owner: false,
  });
  family = await makeFamily(database, { name: 'Tremblay', notes: 'wet' });
  folder = mkdtempSync(join(tmpdir(), 'nestctl-bundle-'));
  await console.json(['evidence', 'key', 'create', ...WHY]);
});
afterAll(() => database?.drop());

test('a history is exported whole, verified without a database, and refused once it was changed', async () => {
  expect((await console.json(['audit', 'seal'])).code).toBe(0);
  const exported = await console.json(['audit', 'export', '--family', family.id, '--bundle', folder, ...WHY]);
  expect(exported).toMatchObject({ code: 0, body: { result: { family: family.id, leaf_only: 0 } } });
  const { file, events, size } = exported.body.result;
  expect(events).toBeGreaterThan(3);

  const again = ['audit', 'export', '--family', family.id, '--bundle', join(folder, 'again'), ...WHY];
  const said = await console.run([...again, '--withhold', 'purpose']);
  expect([said.code, said.stdout, said.stderr]).toEqual([
    0,
    '',
    expect.stringMatching(/all \d+ events of family .*, without purpose\n.*written to .*again/),
  ]);

  // A context whose server does not answer: nothing of this needs one.
  const keys = join(folder, 'keys.json');
  await writeFile(keys, JSON.stringify((await console.json(['evidence', 'key', 'publish'])).body.result));
  const elsewhere = await operatorConsole(database, { port: 1 });
  const verify = (...args: string[]) =>
    elsewhere.json(['audit', 'verify', '--offline', file, '--keys', keys, ...args]);
  expect(await verify('--family', family.id, '--to', String(size))).toMatchObject({
    code: 0,
    body: { result: { family: family.id, events, size } },
  });
  expect(await verify('--family', randomUUID())).toMatchObject({
    code: 3,
    body: { result: { kind: 'misplaced' } },
  });
  expect(await verify('--to', '2999-01-01')).toMatchObject({
    code: 3,
    body: { result: { kind: 'incomplete' } },
  });
  await writeFile(file, (await readFile(file, 'utf8')).replace('Tremblay', 'Trembley'));
  expect(await verify()).toMatchObject({ code: 3, body: { result: { kind: 'edited' } } });
  await writeFile(file, 'nothing of the kind');
  expect(await verify()).toMatchObject({ code: 2, body: { error: { code: 'no_proof' } } });
});

test('what asks for a part of a whole is refused, and so is a file that is there', async () => {
  const file = join(folder, 'there');
  await writeFile(file, '');
  const bundle = ['audit', 'export', '--family', family.id, '--bundle', file, ...WHY];
  expect(await console.json([...bundle, '--table', 'children'])).toMatchObject({
    code: 2,
    body: { error: { code: 'bundle_is_whole' } },
  });
  expect((await console.json(['audit', 'export', '--bundle', file, ...WHY])).code).toBe(2);
  expect((await console.json(['audit', 'verify', '--family', family.id])).code).toBe(2);
  await console.json(['audit', 'seal']);
  expect(await console.json(bundle)).toMatchObject({ code: 6, body: { error: { code: 'file_exists' } } });
  expect(await console.json([...bundle, '--duty', 'support'])).toMatchObject({ code: 4 });
});

test.runIf(process.platform === 'linux')(
  'memory does not grow with the history, neither of who exports it nor of who verifies it',
  async () => {
    const small = await makeFamily(database, { name: 'Roy' });
    await busy(small, 1_500);
    for (let round = 0; round < 6; round += 1) await busy(family, 10_000);
    await console.json(['audit', 'seal']);
    const measure = async ({ id }: SmallFamily) => {
      const file = join(folder, `${id}.bundle`);
      const exporting = await peak(['audit', 'export', '--family', id, '--bundle', file, ...WHY]);
      const verifying = await peak(['audit', 'verify', '--offline', file, '--family', id]);
      return { exporting, verifying, bytes: (await stat(file)).size };
    };
    const few = await measure(small);
    const many = await measure(family);
    expect(many.bytes).toBeGreaterThan(30 * few.bytes);
    expect(many.bytes).toBeGreaterThan(40_000_000);
    expect(many.exporting - few.exporting).toBeLessThan(60);
    expect(many.verifying - few.verifying).toBeLessThan(60);
  },
  240_000,
);

async function busy({ id, child }: SmallFamily, events: number): Promise<void> {
  await asService(database, (connection) =>
    connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes)
       select $1, $2, 'diaper_change', repeat('wet ', 60) from generate_series(1, ${events}) n`,
      [id, child],
    ),
  );
}

/** The most memory that a command ever had, MiB. */
async function peak(args: readonly string[]): Promise<number> {
  const child = startConsole(args, { env: console.env });
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const { code, peak: most } = await peakMemory(child);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  return most;
}
