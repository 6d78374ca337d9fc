import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { readMigrations } from '../../src/platform/migrations/index.js';
import { finished, runOnTerminal, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';

const names = (await readMigrations()).map(({ name }) => name);
const MIGRATE = ['db', 'migrate', '--yes'];
const REDRAWN = '\r\u001b[K';

let database: TestDatabase;
let me: OperatorConsole;
beforeEach(async () => {
  database = await createTestDatabase({ template: 'template0' });
  me = await operatorConsole(database);
});
afterEach(() => database.drop());

async function applied(): Promise<string[]> {
  return await withConnection(database.owner, async (owner) => {
    const { ledger } = await owner.one<{ ledger: unknown }>(`select to_regclass('ops.migrations') as ledger`);
    if (ledger === null) return [];
    const rows = await owner.query<{ name: string }>('select name from ops.migrations order by 1');
    return rows.map(({ name }) => name);
  });
}

/** What a screen shows at the end, once every line that was drawn over is gone. */
const settled = (screen: string) =>
  screen.split('\n').map((line) => line.replace(/\r$/, '').split(REDRAWN).at(-1) ?? '');

test('a terminal shows the stage at work as a line that moves, and leaves each as one plain line', async () => {
  const { code, stdout } = await runOnTerminal(MIGRATE, { env: { ...me.env, NO_COLOR: '1' } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] /);
  const lines = settled(stdout);
  for (const name of names) expect(lines.filter((line) => line.startsWith(`· ${name} up`))).toHaveLength(1);
  expect(lines.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
  expect(lines.filter((line) => line.includes(`${names.length} migrations applied.`))).toHaveLength(1);
});

test.each([{ TERM: 'dumb' }, { CI: 'true' }])(
  'a terminal without a cursor, and a build, get plain lines: %o',
  async (env) => {
    const { code, stdout } = await runOnTerminal(MIGRATE, { env: { ...me.env, NO_COLOR: '1', ...env } });
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    for (const name of names)
      expect(stdout.match(new RegExp(`^· ${name} up: \\d+ ms`, 'gm'))).toHaveLength(1);
  },
);

test('Ctrl-C midway stops at a safe point, says what was done and what was not, and running again ends it', async () => {
  const { code, stdout } = await runOnTerminal(MIGRATE, {
    env: { ...me.env, NO_COLOR: '1' },
    type: [{ at: `· ${names[2]} up`, keys: '\u0003' }],
  });
  const done = await applied();
  expect([code, done.length >= 3, done.length < names.length]).toEqual([130, true, true]);
  expect(stdout.match(/✗ Interrupted/g)).toHaveLength(1);
  expect(stdout).toContain('· stopping at a safe point; once more ends at once');
  expect(stdout).toContain('was rolled back, those before it stay');
  for (const name of done) expect(stdout).toContain(`· ${name} up: `);
  expect((await me.run(MIGRATE)).code).toBe(0);
  expect(await applied()).toEqual(names);
});

test('a second signal ends at once, and leaves whole migrations only', async () => {
  const child = startConsole(MIGRATE, { env: me.env });
  child.stdin.end();
  const end = finished(child);
  let seen = '';
  while (!seen.includes(`· ${names[1]} up`)) seen += String((await once(child.stderr, 'data'))[0]);
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  const { code } = await end;
  expect(code).toBe(130);
  expect((await me.run(MIGRATE)).code).toBe(0);
  expect(await applied()).toEqual(names);
});
