import { describe, expect, it } from 'vitest';
import { contextFile, runConsole } from '../support/console.js';

const LOCAL = `
current = "local"
[contexts.local]
kind = "local"
host = "127.0.0.1"
port = 1
database = "nestsync"
user = "camille.roy"
`;
const { env } = await contextFile(LOCAL);

const CASES: readonly (readonly [
  what: string,
  args: readonly string[],
  exit: number,
  code: string,
  message: RegExp,
])[] = [
  ['an unknown flag', ['context', 'show', '--contxt', 'x'], 2, 'unknown_flag', /^Unknown flag --contxt\.$/],
  ['an unknown command', ['famly', 'list'], 2, 'unknown_command', /^There is no command "famly list"\.$/],
  ['an unknown verb of a known noun', ['context', 'lst'], 2, 'unknown_command', /"context lst"/],
  ['an argument too many', ['context', 'show', 'a', 'b'], 2, 'usage', /^Unexpected argument: b\.$/],
  [
    'a value that is no choice',
    ['context', 'show', '--format', 'xml'],
    2,
    'usage',
    /--format=xml.*table, json/,
  ],
  ['a flag without its value', ['context', 'show', '--context'], 2, 'usage', /--context/],
  ['a negative limit', ['family', 'list', '--limit', '-5'], 2, 'usage', /^--limit: -5 is not between 1 and/],
  [
    'a limit that is no number',
    ['family', 'list', '--limit', 'ten'],
    2,
    'usage',
    /^--limit: "ten" is not a whole number\.$/,
  ],
  ['an id that is none', ['access', 'open', '--family', '123'], 2, 'usage', /^--family: "123" is not an id/],
  [
    'a duration that is none',
    ['access', 'open', '--directory', '--for', 'soon'],
    2,
    'usage',
    /^--for: "soon" is not a duration/,
  ],
  [
    'an impossible date',
    ['audit', 'query', '--since', '2026-02-30'],
    2,
    'invalid_time',
    /^--since: 2026-02-30 does not exist/,
  ],
  [
    'a wall time that never came',
    ['audit', 'query', '--since', '2026-03-08T02:30', '--zone', 'America/Toronto'],
    2,
    'invalid_time',
    /never came in America\/Toronto/,
  ],
  [
    'an unknown zone',
    ['audit', 'query', '--since', '3h', '--zone', 'Canada/Tornto'],
    2,
    'invalid_zone',
    /Canada\/Tornto/,
  ],
  ['a context that is not there', ['context', 'show', '--context', 'nope'], 5, 'context_unknown', /"nope"/],
  ['a write without a reason', ['access', 'open', '--directory'], 7, 'reason_missing', /reason/],
  ['a server that is down', ['family', 'list', '--reason', 'r'], 1, 'server_down', /127\.0\.0\.1:1\b/],
];

describe('what cannot be done is said the same way to people and programs', () => {
  it.each(CASES)('%s', async (_, args, exit, code, message) => {
    const [plain, json] = await Promise.all([
      runConsole(args, { env }),
      runConsole([...args, '--json'], { env }),
    ]);
    expect(plain.code).toBe(exit);
    expect(plain.stdout).toBe('');
    expect(plain.stderr).toMatch(/^✗ /);

    expect(json.code).toBe(exit);
    expect(json.stderr).toBe('');
    const envelope = JSON.parse(json.stdout);
    expect(Object.keys(envelope)).toEqual(['ok', 'command', 'context', 'error']);
    expect(Object.keys(envelope.error)).toEqual(['code', 'message', 'hint', 'next', 'exitCode']);
    expect(envelope).toMatchObject({ ok: false, error: { code, exitCode: exit } });
    expect(envelope.error.message).toMatch(message);
    expect(plain.stderr).toContain(envelope.error.message);
    if (envelope.error.hint !== null) expect(plain.stderr).toContain(envelope.error.hint);
    if (envelope.error.next !== null)
      expect(plain.stderr).toContain(envelope.error.next.replace(' --json', ''));
  });
});

it.each([
  [['audit', 'proof', 'abc'], 'audit proof'],
  [['audit', 'query', '--transaction', 'abc'], 'audit query'],
  [['family', 'show', 'x'], 'family show'],
])('a value that is none leads to the help of its command: %s', async (args, command) => {
  const { code, stdout } = await runConsole([...args, '--json'], { env });
  expect([code, JSON.parse(stdout).error.next]).toEqual([2, `nestctl ${command} --help`]);
});

describe('a mistyped name', () => {
  it('is answered with the nearest one, which is not run', async () => {
    const typed = await runConsole(['contxt', 'list'], { env });
    expect(typed.stderr).toContain('Did you mean "nestctl context list"?');
    expect(typed.stdout).toBe('');
    const flag = await runConsole(['context', 'show', '--vebose'], { env });
    expect(flag.stderr).toContain('Did you mean --verbose?');
  });

  it('is answered with nothing where none is near', async () => {
    expect((await runConsole(['frobnicate'], { env })).stderr).not.toContain('Did you mean');
  });
});

describe('the command line', () => {
  it('is refused where its bytes are no UTF-8, whatever stands there', async () => {
    const { spawnSync } = await import('node:child_process');
    const broken = spawnSync(
      'bash',
      ['-c', `exec "${process.execPath}" bin/run.js context show $'caf\\xe9' --json`],
      { encoding: 'utf8' },
    );
    expect(broken.status).toBe(2);
    expect(JSON.parse(broken.stdout).error).toMatchObject({ code: 'invalid_text', exitCode: 2 });
  });

  it('does not take a missing argument from a pipe', async () => {
    const { code, stdout } = await runConsole(['context', 'show', '--json'], {
      env,
      input: 'other\nother\n',
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).result.name).toBe('local');
  });

  it('reads --json only before --', async () => {
    const { stdout, stderr } = await runConsole(['context', 'show', '--', '--json'], { env });
    expect(stdout).toBe('');
    expect(stderr).toContain('There is no context "--json".');
  });

  it('means the same whatever NODE_ENV says', async () => {
    for (const NODE_ENV of ['production', 'test', 'development']) {
      const run = await runConsole(['context', 'show', '--bogus'], { env: { ...env, NODE_ENV } });
      expect(run.stderr).toBe('✗ Unknown flag --bogus.\n  next  nestctl context show --help\n');
    }
  });
});
