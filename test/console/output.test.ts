import { describe, expect, it } from 'vitest';
import { contextFile, finished, runConsole, runOnTerminal, startConsole } from '../support/console.js';

const context = (name: string, host: string) => `
[contexts.${name}]
kind = "server"
host = ${JSON.stringify(host)}
database = "nestsync_production_of_the_whole_country"
user = "camille.roy"
`;
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egnitirw\u2066\u200b\r\nsecond line';
const plain = await contextFile(
  `current = "one"\n${context('one', 'db.example.ca')}${context('two', 'db2.example.ca')}`,
);
const hostile = await contextFile(`current = "one"\n${context('one', HOSTILE)}`);

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const ESC = '\u001b[';

describe('the envelope', () => {
  it('holds result, warnings and facts of the run', async () => {
    const { stdout, stderr, code } = await runConsole(['context', 'list', '--json'], { env: plain.env });
    const envelope = JSON.parse(stdout);
    expect(Object.keys(envelope)).toEqual(['ok', 'command', 'context', 'result', 'warnings', 'meta']);
    expect(envelope).toMatchObject({
      ok: true,
      command: 'context list',
      warnings: [],
      meta: { exit_code: 0, next: null, next_cursor: null },
    });
    expect(envelope.result.contexts).toHaveLength(2);
    expect(envelope.meta.request).toMatch(/^[0-9a-f-]{36}$/);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('is an envelope for an empty result too', async () => {
    const { stdout } = await runConsole(['context', 'list', '--json'], {
      env: { NESTCTL_CONFIG: '/nonexistent/contexts.toml' },
    });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: { contexts: [] } });
  });

  it('is left out by --format json', async () => {
    const { stdout } = await runConsole(['context', 'show', '--format', 'json'], { env: plain.env });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'one', host: 'db.example.ca' });
  });
});

describe('hostile data', () => {
  it('is visible and harmless in tables and details', async () => {
    for (const args of [
      ['context', 'list'],
      ['context', 'show'],
    ]) {
      const { stdout } = await runConsole(args, { env: hostile.env });
      expect(stdout).not.toMatch(RAW);
      expect(stdout).toContain('␛[2J␛]0;owned␇‹U+009B›31m‹U+202E›gnitirw‹U+2066›‹U+200B›␍␊second line');
    }
  });

  it('is whole but escaped in JSON', async () => {
    const { stdout } = await runConsole(['context', 'show', '--json'], { env: hostile.env });
    expect(stdout).not.toMatch(RAW);
    expect(JSON.parse(stdout).result.host).toBe(HOSTILE);
  });

  it('is harmless in errors, typed or stored', async () => {
    const typed = await runConsole(['context', 'show', '\u001b[31mred\u202e'], { env: plain.env });
    expect(typed.stderr).not.toMatch(RAW);
    expect(typed.stderr).toContain('␛[31mred‹U+202E›');
    const unknown = await runConsole(['\u001b[31mred'], { env: plain.env });
    expect(unknown.stderr).not.toMatch(RAW);
  });

  it('is harmless on a terminal, where only our own colours are', async () => {
    const { stdout } = await runOnTerminal(['context', 'show'], { env: hostile.env });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    const own = stdout.replace(/\u001b\[(?:1|2|22|3[0-9]|39)m/g, '').replaceAll('\r\n', '\n');
    expect(own).not.toMatch(RAW);
    expect(own).toContain('␛[2J');
  });
});

describe('colour', () => {
  it('is for terminals', async () => {
    expect((await runOnTerminal(['context', 'list'], { env: plain.env })).stdout).toContain(ESC);
    expect((await runConsole(['context', 'list'], { env: plain.env })).stdout).not.toContain(ESC);
  });

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['TERM=dumb', { TERM: 'dumb' }],
    ['CLICOLOR=0', { CLICOLOR: '0' }],
    ['NO_COLOR over CLICOLOR_FORCE', { NO_COLOR: '1', CLICOLOR_FORCE: '1' }],
  ])('is switched off by %s, in results, errors and help', async (_, switches) => {
    const env = { ...plain.env, ...switches };
    for (const args of [
      ['context', 'list'],
      ['context', 'nope'],
      ['--help'],
      ['context', 'show', '--help'],
    ]) {
      expect((await runOnTerminal(args, { env })).stdout).not.toContain(ESC);
    }
  });

  it('is forced by CLICOLOR_FORCE', async () => {
    const { stdout } = await runConsole(['context', 'list'], { env: { ...plain.env, CLICOLOR_FORCE: '1' } });
    expect(stdout).toContain(ESC);
  });

  it('is never in JSON, and leaves no remark of Node', async () => {
    const env = { ...plain.env, CLICOLOR_FORCE: '1', NO_COLOR: '1' };
    const { stdout, stderr } = await runConsole(['context', 'list', '--json'], { env });
    expect(stdout).not.toContain(ESC);
    expect(stderr).toBe('');
  });
});

describe('width', () => {
  it('never cuts what is piped', async () => {
    const { stdout } = await runConsole(['context', 'list'], { env: { ...plain.env, COLUMNS: '20' } });
    expect(stdout).toContain('nestsync_production_of_the_whole_country');
    expect(stdout).not.toContain('…');
    expect(stdout.split('\n').every((line) => line === line.trimEnd())).toBe(true);
  });

  it('leaves columns out from the right on a narrow terminal, and says which', async () => {
    const env = { ...plain.env, NO_COLOR: '1' };
    const { stdout } = await runOnTerminal(['context', 'list'], { env, columns: 60 });
    expect(stdout).toContain('NAME');
    expect(stdout).toContain('camille.roy');
    expect(stdout).not.toContain('nestsync_production');
    expect(stdout).toMatch(/not shown for want of width: .*database/);
    const lines = stdout
      .replaceAll('\r', '')
      .split('\n')
      .filter((line) => !line.startsWith('not shown'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('shows one record after the other where even that does not fit', async () => {
    const { stdout } = await runOnTerminal(['context', 'list'], {
      env: { ...plain.env, NO_COLOR: '1' },
      columns: 24,
    });
    expect(stdout.replaceAll('\r', '')).toMatch(/^name +one$/m);
    expect(stdout.replaceAll('\r', '')).toMatch(/^host +db2\.example\.ca$/m);
  });
});

describe('a closed pipe', () => {
  it('ends quietly and is no failure', async () => {
    const child = startConsole(['context', 'list', '--json'], { env: plain.env });
    child.stdout.destroy();
    const { code, stderr } = await finished(child);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('for messages does not stop the work', async () => {
    const child = startConsole(['context', 'show', '--verbose'], { env: plain.env });
    child.stderr.destroy();
    const { code, stdout } = await finished(child);
    expect(code).toBe(0);
    expect(stdout).toContain('db.example.ca');
  });
});
