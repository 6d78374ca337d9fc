import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const ESC = '\u001b';
/** What people and scripts put into names. Each must come back from JSON as it is, and touch no terminal. */
const HOSTILE: Record<string, string> = {
  'colours and cursor': `Tremblay${ESC}[2J${ESC}[31mred${ESC}]0;title\u0007${ESC}]8;;http://x${ESC}\\`,
  'C1 controls': 'Tremblay\u009b31m\u0085\u008d',
  'lines and tabs': 'Tremblay\r\nFAKE ROW\t0\u000b\u000c\b\b\u007f',
  'right to left': 'Tremblay \u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c',
  'separators and invisibles': 'Tremblay\u2028\u2029\u200b\ufeff\u00ad',
  'a formula': '=cmd|"/c calc"!A1',
  'emoji, joined': 'Tremblay 👨‍👩‍👧‍👦 🏳️‍🌈 é\u0301\u0327',
  'quotes and braces': `"'\`$(id);--{}[]\\u001b\\n`,
  'ten thousand letters': 'Tremblay'.padEnd(10_000, 'x'),
};
// Nothing that a terminal acts on, and nothing that reorders or hides text; line feeds end lines.
const RAW = /(?!\n)[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const COLOUR = new RegExp(`${ESC}\\[[0-9;]*m`, 'g');
const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;
let me: OperatorConsole;
const families = new Map<string, SmallFamily>();

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, {
    operator: await database.makeOperator('support', 'admin'),
    owner: false,
  });
  for (const [kind, text] of Object.entries(HOSTILE)) {
    const family = await makeFamily(database, { name: text, person: text, child: text, notes: text });
    families.set(kind, family);
    await asService(database, (connection) =>
      connection.query('update public.usage_logs set notes = notes || $2 where family_id = $1', [
        family.id,
        '!',
      ]),
    );
  }
  await me.json(['access', 'open', '--break-glass', '--duty', 'admin', ...WHY]);
});
afterAll(() => database.drop());

describe.concurrent.each(Object.entries(HOSTILE))('%s', (kind, text) => {
  test('is shown without touching the terminal, and comes back whole from JSON', async ({ expect }) => {
    const { id } = families.get(kind) as SmallFamily;
    const admin = ['--duty', 'admin'];
    const screens = [
      ['family', 'show', id, ...admin],
      ['family', 'list', '--id', id, ...admin],
      ['audit', 'query', '--family', id, ...admin, '--values'],
    ];
    for (const args of screens) {
      const { code, stdout, stderr } = await me.run(args);
      expect([args[1], code, RAW.exec(stdout)?.[0], RAW.exec(stderr)?.[0]]).toEqual([
        args[1],
        0,
        undefined,
        undefined,
      ]);
    }
    // No line of its own for what is in a name: a family in a table is a head and a row.
    expect((await me.run(screens[1] as string[])).stdout.trimEnd().split('\n')).toHaveLength(2);

    const shown = await me.run(['family', 'show', id, ...admin, '--json']);
    expect(RAW.exec(shown.stdout)).toBeNull();
    const { result } = JSON.parse(shown.stdout);
    expect(result.name).toBe(text);
    expect(result.members[0].display_name).toBe(text);
    expect(result.children[0].name).toBe(text);
    const events = await me.json([
      'audit',
      'query',
      '--family',
      id,
      ...admin,
      '--table',
      'usage_logs',
      '--operation',
      'update',
    ]);
    expect(events.body.result.events[0].before.notes).toBe(text);
    expect(events.body.result.events[0].after.notes).toBe(`${text}!`);
  });
});

test('on a terminal the only escape codes are our own colours', async () => {
  const { id } = families.get('colours and cursor') as SmallFamily;
  for (const columns of [60, 200]) {
    const { stdout } = await runOnTerminal(['family', 'show', id, '--duty', 'admin'], {
      env: me.env,
      columns,
    });
    expect(stdout).toContain('Tremblay');
    const bare = stdout.replaceAll('\r\n', '\n').replace(COLOUR, '');
    expect(RAW.exec(bare)).toBeNull();
    expect(stdout).not.toContain(`${ESC}[31mred`);
  }
});

test('a reason with control characters is refused, and other text of an operator comes back whole', async () => {
  const other = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  const { id } = families.get('a formula') as SmallFamily;
  const open = (reason: string) =>
    other.json(['access', 'open', '--family', id, '--reason', reason, '--ticket', 'SUP-1']);
  for (const reason of [`Grandma ${ESC}[31mcannot see`, 'Grandma cannot\r\nsee the log']) {
    const { code, body } = await open(reason);
    expect([code, body.error.code]).toEqual([2, 'invalid_reason']);
    expect(RAW.exec(body.error.message)).toBeNull();
  }
  const reason = '=HYPERLINK("http://x") \u202ereversed\u202c 👨‍👩‍👧 it’s';
  expect((await open(reason)).code).toBe(0);
  const listed = await other.json(['access', 'list']);
  expect(listed.body.result.grants.map((grant: { reason: string }) => grant.reason)).toEqual([reason]);
  expect(RAW.exec((await other.run(['access', 'list'])).stdout)).toBeNull();
});

test('what was typed is quoted back harmless in errors', async () => {
  for (const args of [
    ['family', 'show', `${ESC}[2J`],
    ['family', 'list', '--columns', `${ESC}[2J\u202e`, '--duty', 'admin'],
    ['audit', 'query', '--zone', `${ESC}]0;x\u0007`],
    ['audit', 'query', '--table', `${ESC}[2J`, '--duty', 'admin'],
    [`${ESC}[2J`],
    ['family', 'list', `--${ESC}[2J`],
    ['family', 'list', '--cursor', `${ESC}[2J`, '--name', randomUUID()],
  ]) {
    const { code, stdout, stderr } = await me.run(args);
    expect([code === 0, RAW.exec(stdout)?.[0], RAW.exec(stderr)?.[0]]).toEqual([false, undefined, undefined]);
    const inJson = await me.run([...args, '--json']);
    expect([RAW.exec(inJson.stdout)?.[0], RAW.exec(inJson.stderr)?.[0]]).toEqual([undefined, undefined]);
  }
});
