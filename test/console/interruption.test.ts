import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contextFile, finished, runConsole, runOnTerminal, startConsole } from '../support/console.js';

/** Takes connections and never says a word, as a server behind a broken proxy. */
let silent: Server;
let env: Record<string, string>;

beforeAll(async () => {
  silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  ({ env } = await contextFile(`[contexts.silent]
kind = "server"
host = "127.0.0.1"
port = ${port}
database = "nestsync"
user = "camille.roy"
`));
});
afterAll(() => {
  silent.close();
});

describe('an interruption', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s ends a waiting command with 130',
    async (signal) => {
      const child = startConsole(['family', 'list', '--reason', 'r', '--json'], { env });
      const end = finished(child);
      await once(silent, 'connection');
      child.kill(signal);
      const { code, stdout } = await end;
      expect(code).toBe(130);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'interrupted', exitCode: 130 } });
    },
  );

  it('by Ctrl-C on a terminal says so once, with nothing of Node', async () => {
    const run = await runOnTerminal(['family', 'list', '--reason', 'r', '--verbose'], {
      env: { ...env, NO_COLOR: '1' },
      type: [{ at: 'connecting as camille.roy', keys: '\u0003' }],
    });
    expect(run.code).toBe(130);
    expect(run.stdout.match(/✗ Interrupted\./g)).toHaveLength(1);
    expect(run.stdout).not.toMatch(/at .*\.js|Warning/);
  });
});

describe('a question', () => {
  const OPEN = ['access', 'open', '--directory'];

  it('is asked on a terminal where a write has no reason, and Ctrl-C leaves it with 130', async () => {
    const run = await runOnTerminal(OPEN, { env, type: [{ at: 'Why?', keys: '\u0003' }] });
    expect(run.code).toBe(130);
    expect(run.stdout).toContain('Interrupted.');
    expect(run.stdout).not.toMatch(/ExitPromptError|force closed/);
  });

  it('takes an answer that says something, and goes on', async () => {
    const run = await runOnTerminal([...OPEN, '--verbose'], {
      env,
      type: [
        { at: 'Why?', keys: '   \r' },
        { at: 'must say something', keys: 'caller cannot log in\r' },
        { at: 'connecting as camille.roy', keys: '\u0003' },
      ],
    });
    expect(run.code).toBe(130);
  });

  it('is never asked of a pipe: `yes |` answers nothing', async () => {
    const run = await runConsole(OPEN, { env, input: 'y\n'.repeat(100) });
    expect(run.code).toBe(7);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('--reason');
  });

  it('is never asked with --json, not even on a terminal', async () => {
    const run = await runOnTerminal([...OPEN, '--json'], { env });
    expect(run.code).toBe(7);
    expect(JSON.parse(run.stdout).error.code).toBe('reason_missing');
  });
});

describe('a server that never answers', () => {
  it('is given up after ten seconds', async () => {
    const { code, stdout } = await runConsole(['family', 'list', '--reason', 'r', '--json'], { env });
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'server_unreachable' });
  });
});
