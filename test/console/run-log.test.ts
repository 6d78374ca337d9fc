import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ENVIRONMENT, TOPICS } from '../../src/console/help-topics.js';
import { EXIT } from '../../src/platform/errors.js';
import { contextFile, finished, runConsole, startConsole } from '../support/console.js';
import { readSources } from '../support/source-imports.js';

const homes: string[] = [];
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

function newHome(): { home: string; log: string; env: Record<string, string> } {
  const home = mkdtempSync(join(tmpdir(), 'nestctl-log-'));
  homes.push(home);
  return { home, log: join(home, 'log', 'nestctl.ndjson'), env: { NESTCTL_HOME: home } };
}
const entries = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const { env: context } = await contextFile(`[contexts.down]
kind = "server"
host = "127.0.0.1"
port = 1
database = "nestsync"
user = "camille.roy"
`);

test('each run leaves one line with names of flags, and no value of anything', async () => {
  const { log, env } = newHome();
  const personal = ['gran.tremblay@example.ca', 'Geneviève cannot see', 'SUP-77', 'Unknown-Tremblay'];
  const [email = '', reason = '', ticket = '', unknown = ''] = personal;
  const runs = [
    ['family', 'list', '--email', email, `--reason=${reason}`, '--ticket', ticket],
    ['family', 'list', `--${unknown}`],
    ['family', 'show', email],
    [unknown],
    ['context', 'list', '--json'],
  ];
  for (const args of runs) await runConsole(args, { env: { ...context, ...env } });
  expect(entries(log)).toMatchObject([
    {
      command: 'family:list',
      flags: ['email', 'reason', 'ticket'],
      context: 'down',
      exit_code: 1,
      error: 'server_down',
    },
    { command: 'family:list', flags: [], exit_code: 2, error: 'unknown_flag' },
    { command: 'family:show', exit_code: 2, error: 'usage' },
    { command: null, exit_code: 2, error: 'unknown_command' },
    { command: 'context:list', flags: ['json'], exit_code: 0, error: null },
  ]);
  expect(entries(log)[0]).toMatchObject({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    request: expect.stringMatching(/^[0-9a-f-]{36}$/),
    duration_ms: expect.any(Number),
  });
  for (const text of personal) expect(readFileSync(log, 'utf8')).not.toContain(text);
  expect(statSync(log).mode & 0o777).toBe(0o600);
  expect(statSync(join(log, '..')).mode & 0o777).toBe(0o700);
});

test('it is closed again where somebody opened it, put aside when large, and never more than a few files', async () => {
  const { home, log, env } = newHome();
  mkdirSync(join(home, 'log'));
  for (let at = 0; at < 6; at++)
    writeFileSync(join(home, 'log', `nestctl-170000000000${at}-1.ndjson`), 'old\n');
  writeFileSync(log, `${'x'.repeat(1_000_000)}\n`);
  chmodSync(log, 0o644);
  await runConsole(['context', 'list'], { env: { ...context, ...env } });
  const names = readdirSync(join(home, 'log')).sort();
  expect(names).toHaveLength(4);
  expect(names.slice(0, 3)).toEqual([3, 4, 5].map((at) => `nestctl-170000000000${at}-1.ndjson`));
  expect(statSync(join(home, 'log', names[3] ?? '')).mode & 0o777).toBe(0o600);
  await runConsole(['context', 'list'], { env: { ...context, ...env } });
  expect(entries(log)).toHaveLength(1);
});

test('a log that cannot be written changes nothing, and off means none', async () => {
  const { home, log, env } = newHome();
  writeFileSync(join(home, 'log'), 'no folder');
  for (const NESTCTL_HOME of [home, '/proc/nonexistent/x', '/dev/null/x']) {
    const { code, stderr } = await runConsole(['context', 'list'], { env: { ...context, NESTCTL_HOME } });
    expect([NESTCTL_HOME, code, stderr]).toEqual([NESTCTL_HOME, 0, '']);
  }
  rmSync(join(home, 'log'));
  await runConsole(['context', 'list'], { env: { ...context, ...env, NESTCTL_LOG: 'off' } });
  expect(() => statSync(log)).toThrow();
  // Nobody's link is followed to a file of theirs.
  const other = join(home, 'other');
  writeFileSync(other, '');
  mkdirSync(join(home, 'log'));
  const { symlinkSync } = await import('node:fs');
  symlinkSync(other, log);
  expect((await runConsole(['context', 'list'], { env: { ...context, ...env } })).code).toBe(0);
  expect(readFileSync(other, 'utf8')).toBe('');
});

test('a full disk for the log fails no command', async () => {
  const { home, env } = newHome();
  const { execFileSync } = await import('node:child_process');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', home]);
  try {
    mkdirSync(join(home, 'log'));
    try {
      for (;;) appendFileSync(join(home, 'filler'), Buffer.alloc(4096));
    } catch {}
    const { code, stderr } = await runConsole(['context', 'list'], { env: { ...context, ...env } });
    expect([code, stderr]).toEqual([0, '']);
    // A file that is asked for is another matter.
    const shown = await runConsole(['evidence', 'key', 'create', '--reason', 'the first key', '--json'], {
      env: { ...context, ...env },
    });
    expect([shown.code, JSON.parse(shown.stdout).error.code]).toEqual([1, 'disk_full']);
  } finally {
    execFileSync('umount', [home]);
  }
});

test('a run that is interrupted twice leaves its line too', async () => {
  const { log, env } = newHome();
  const { createServer } = await import('node:net');
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const { env: where } = await contextFile(
    `[contexts.silent]\nkind = "server"\nhost = "127.0.0.1"\nport = ${port}\ndatabase = "n"\nuser = "u"\n`,
  );
  const child = startConsole(['db', 'status'], { env: { ...where, ...env, PGPASSWORD: 'planted' } });
  const end = finished(child);
  await Promise.race([once(silent, 'connection'), end]);
  child.kill('SIGTERM');
  const { code, stderr } = await end;
  silent.close();
  expect(code).toBe(stderr.includes('no owner') ? 4 : 130);
  expect(entries(log)).toHaveLength(1);
  expect(readFileSync(log, 'utf8')).not.toContain('planted');
});

test('--verbose tells of connection and time, on stderr alone', async () => {
  const { env } = newHome();
  const { stdout, stderr } = await runConsole(['context', 'list', '--verbose', '--json'], {
    env: { ...context, ...env },
  });
  expect(JSON.parse(stdout).ok).toBe(true);
  expect(stderr).toMatch(/took \d+ ms/);
});

test('the help topics are listed, and tell of every exit code and every variable that is read', async () => {
  const help = await runConsole(['--help']);
  for (const [name, { summary }] of Object.entries(TOPICS)) {
    expect(help.stdout).toContain(summary);
    const { code, stdout } = await runConsole(['help', name]);
    expect([name, code, stdout]).toEqual([name, 0, `${TOPICS[name]?.lines().join('\n')}\n`]);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  }
  for (const code of Object.values(EXIT))
    expect(TOPICS['exit-codes']?.lines().join('\n')).toMatch(new RegExp(`^ *${code} `, 'm'));
  const read = readSources('bin', 'commands', 'src').flatMap(({ text }) =>
    [...text.matchAll(/\benv(?:ironment)?\.([A-Z][A-Z0-9_]+)|env: '([A-Z][A-Z0-9_]+)'/g)].map(
      (found) => found[1] ?? found[2] ?? '',
    ),
  );
  const known = [...Object.keys(ENVIRONMENT), 'HOME', 'SHELL', 'PATH'];
  expect([...new Set(read)].filter((name) => !known.includes(name) && !name.startsWith('AWS_'))).toEqual([]);
});

test('help on a command is the same either way, and a mistyped one is answered with what was meant', async () => {
  const [before, after] = await Promise.all([
    runConsole(['help', 'family', 'list']),
    runConsole(['family', 'list', '--help']),
  ]);
  expect([before.code, before.stdout]).toEqual([0, after.stdout]);
  expect(before.stdout).toContain('EXAMPLES');
  for (const args of [
    ['help', 'famly'],
    ['famly', '--help'],
  ]) {
    const { code, stdout, stderr } = await runConsole(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Did you mean "nestctl family"?');
  }
});

test('a mistyped context and a mistyped choice are answered with what was meant, and nothing is done', async () => {
  const { env } = newHome();
  const wrong = await runConsole(['context', 'show', 'dwn', '--json'], { env: { ...context, ...env } });
  expect([wrong.code, JSON.parse(wrong.stdout).error.hint]).toEqual([
    5,
    expect.stringContaining('Did you mean down?'),
  ]);
  const choice = await runConsole(['context', 'list', '--format', 'tabl'], { env: { ...context, ...env } });
  expect([choice.code, choice.stderr]).toEqual([2, expect.stringContaining('Did you mean table?')]);
});

test('a next command keeps the context that was chosen by hand', async () => {
  const { env } = newHome();
  const { stdout } = await runConsole(['db', 'status', '--context', 'down', '--json'], {
    env: { ...context, ...env },
  });
  const { next } = JSON.parse(stdout).error;
  if (next !== null) expect(next).toMatch(/context/);
  const asked = await runConsole(['family', 'list', '--context', 'down', '--reason', 'x', '--json'], {
    env: { ...context, ...env },
  });
  expect(JSON.parse(asked.stdout).error).toMatchObject({
    code: 'server_down',
    next: 'nestctl context show down',
  });
});
