import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { contextFile, runConsole, runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay-Beaulieu' });
});
afterAll(() => database.drop());

const PLAIN = { NO_COLOR: '1' };

interface Lookup {
  readonly looking_for: string;
  readonly by: string;
  readonly query: string;
}

/** The lookups on record of one operator, by the database's own superuser. */
async function lookupsOf(operator: string): Promise<Lookup[]> {
  return await withConnection(database.superuser, (connection) =>
    connection.query<Lookup>(
      `select looking_for, by, query from ops.directory_lookups where operator = $1 order by looked_up_at`,
      [operator],
    ),
  );
}

describe('a missing family', () => {
  test('is found by typing, under the directory’s rules: why and for what, three letters, masked, on record', async () => {
    const operator = await database.makeOperator('support');
    const me = await operatorConsole(database, { operator, owner: false });
    const run = await runOnTerminal(['family', 'show'], {
      env: { ...me.env, ...PLAIN },
      type: [
        { at: 'Why?', keys: 'Grandma cannot see the log\r' },
        { at: 'For which ticket?', keys: 'SUP-1\r' },
        { at: 'first three letters', keys: 'tr' },
        { at: 'tr', keys: 'e' },
        { at: '❯ Tre…', keys: '\r' },
      ],
    });
    expect(run.stdout).toContain('Tre…');
    expect(run.stdout.split('Members:')[0]).not.toContain('Tremblay-Beaulieu ·');
    // Chosen, it goes on by itself: the reason asked for opens the family too.
    expect(run.code, run.stdout).toBe(0);
    expect(run.stdout).toContain(`nestctl family show ${family.id}`);
    expect(run.stdout).toContain('Members:');
    expect(await lookupsOf(operator.user)).toEqual([{ looking_for: 'family', by: 'name', query: 'tre' }]);
  });

  test('is not looked for with two letters, nor at each of many keys', async () => {
    const operator = await database.makeOperator('support');
    const me = await operatorConsole(database, { operator, owner: false });
    await me.json([
      'access',
      'open',
      '--directory',
      '--reason',
      'caller knows the name',
      '--ticket',
      'SUP-1',
    ]);
    const run = await runOnTerminal(['family', 'show'], {
      env: { ...me.env, ...PLAIN },
      type: [
        { at: 'Which family?', keys: 'xy' },
        { at: 'first three letters', keys: 'zzyx' },
        { at: 'No results', keys: 'w' },
        { at: 'xyzzyxw', keys: '\u0003' },
      ],
    });
    expect(run.code).toBe(130);
    // One for six letters typed at once; none for the seventh, since no name began with the six.
    expect(await lookupsOf(operator.user)).toEqual([{ looking_for: 'family', by: 'name', query: 'xyzzyx' }]);
  });

  test('is refused beyond the quota, in the prompt, in the words of the database', async () => {
    const operator = await database.makeOperator('support');
    const me = await operatorConsole(database, { operator, owner: false });
    const { body } = await me.json([
      ...['access', 'open', '--directory', '--reason', 'caller knows the name', '--ticket', 'SUP-1'],
    ]);
    await withConnection(database.superuser, (connection) =>
      connection.query(
        `set session_replication_role = replica;
         insert into ops.directory_lookups (grant_id, operator, looking_for, by, query)
         select '${body.result.id}', '${operator.user}', 'family', 'name', 'abc' from generate_series(1, 30)`,
      ),
    );
    const run = await runOnTerminal(['family', 'show'], {
      env: { ...me.env, ...PLAIN },
      type: [
        { at: 'Which family?', keys: 'trem' },
        { at: 'Directory quota reached', keys: '\u0003' },
      ],
    });
    expect(run.code).toBe(130);
    expect(run.stdout).not.toContain('Tre…');
    expect(await lookupsOf(operator.user)).toHaveLength(30);
  });
});

test('a missing person is found for a grant, and the scope is asked for first', async () => {
  const operator = await database.makeOperator('support');
  const me = await operatorConsole(database, { operator, owner: false });
  const run = await runOnTerminal(['access', 'open', '--ticket', 'SUP-1'], {
    env: { ...me.env, ...PLAIN },
    type: [
      { at: 'Open access to what?', keys: 'person' },
      { at: '❯ one person', keys: '\r' },
      { at: 'Why?', keys: 'Grandma cannot see the log\r' },
      { at: 'Which person?', keys: `${family.gran.email}` },
      { at: 'families', keys: '\r' },
    ],
  });
  expect(run.code, run.stdout).toBe(0);
  expect(run.stdout).toContain('Access is open.');
  expect(await lookupsOf(operator.user)).toEqual([
    { looking_for: 'person', by: 'email', query: family.gran.email },
  ]);
  // What is open is chosen from a list.
  const closed = await runOnTerminal(['access', 'close'], {
    env: { ...me.env, ...PLAIN },
    type: [
      { at: 'Which grant?', keys: 'user' },
      { at: `❯ user ${family.gran.id}`, keys: '\r' },
    ],
  });
  expect(closed.code, closed.stdout).toBe(0);
  expect(closed.stdout).toContain('SUP-1');
});

describe('a missing name of a list', () => {
  const CONTEXTS = `current = "alpha"
[contexts.alpha]
kind = "server"
host = "db.example.ca"
database = "n"
user = "u"
[contexts.beta-two]
kind = "server"
host = "db.example.ca"
database = "n"
user = "u"
`;

  test('is narrowed by typing, and Ctrl-C leaves all as it was', async () => {
    const { env } = await contextFile(CONTEXTS);
    const left = await runOnTerminal(['context', 'use'], {
      env: { ...env, ...PLAIN },
      type: [{ at: 'Which context?', keys: '\u0003' }],
    });
    expect([left.code, left.stdout]).toEqual([130, expect.stringContaining('Interrupted.')]);
    const used = await runOnTerminal(['context', 'use'], {
      env: { ...env, ...PLAIN },
      type: [
        { at: 'Which context?', keys: 'two' },
        { at: '❯ beta-two', keys: '\r' },
      ],
    });
    expect(used.code, used.stdout).toBe(0);
    expect(used.stdout).toContain('nestctl context use beta-two');
    expect(used.stdout).toContain('beta-two is the current context');
  });

  test.each([
    ['context use', 'NAME', 'argument_missing'],
    ['context remove', 'NAME', 'argument_missing'],
    ['family show', 'FAMILY', 'argument_missing'],
    ['evidence show', 'RECORD', 'argument_missing'],
    ['access open', '--family', 'scope_missing'],
  ])('of "%s" is named where nobody can be asked', async (words, named, code) => {
    const me = await operatorConsole(database);
    const why = words === 'access open' ? ['--reason', 'Grandma cannot see', '--ticket', 'SUP-1'] : [];
    const { code: exit, body } = await me.json([...words.split(' '), ...why]);
    expect([exit, body.error.code]).toEqual([7, code]);
    expect(body.error.message).toContain(named);
    expect(body.error.next).toBe(`nestctl ${words} --help`);
  });

  test('is not asked for on a terminal without a cursor, nor of a pipe beside one', async () => {
    const { env } = await contextFile(CONTEXTS);
    const dumb = await runOnTerminal(['context', 'use'], { env: { ...env, TERM: 'dumb' } });
    expect([dumb.code, dumb.stdout]).toEqual([7, expect.stringContaining('NAME')]);
    const piped = await runConsole(['context', 'use'], { env, input: 'beta-two\n' });
    expect([piped.code, piped.stdout]).toEqual([7, '']);
  });
});

test('`yes |` is no consent, though stdout is a terminal', async () => {
  const { env } = await contextFile(`[contexts.alpha]
kind = "server"
host = "db.example.ca"
database = "n"
user = "u"
[contexts.beta]
kind = "server"
host = "db.example.ca"
database = "n"
user = "u"
`);
  const { code, stdout } = await runOnTerminal(['context', 'remove', 'beta'], {
    env: { ...env, ...PLAIN },
    before: 'yes |',
  });
  expect(code).toBe(7);
  expect(stdout).toContain('add --yes');
  expect(stdout).toContain('next  nestctl context remove beta --yes');
  const still = await runConsole(['context', 'show', 'beta'], { env });
  expect(still.code).toBe(0);
});

test('`nestctl` alone offers the three jobs to a person, and help to a pipe', async () => {
  const { env } = await operatorConsole(database);
  const run = await runOnTerminal([], {
    env: { ...env, ...PLAIN },
    type: [
      { at: 'data is gone or wrong', keys: 'recov' },
      { at: '❯ recovery', keys: '\r' },
      { at: 'Run one of those', keys: 'db' },
      { at: '❯ nestctl db status', keys: '\r' },
    ],
  });
  expect(run.stdout).toContain('$ nestctl db status');
  expect(run.stdout).toContain('0007_views_and_analytics');
  expect(run.code, run.stdout).toBe(0);
  const left = await runOnTerminal([], {
    env: { ...env, ...PLAIN },
    type: [{ at: 'about?', keys: '\u0003' }],
  });
  expect([left.code, left.stdout]).toEqual([130, expect.not.stringMatching(/ExitPromptError|at .*\.js/)]);
  const piped = await runConsole([], { env });
  expect([piped.code, piped.stderr]).toEqual([0, '']);
  expect(piped.stdout).toContain('HELP TOPICS');
});
