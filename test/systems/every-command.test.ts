import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/platform/errors.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { type Finished, finished, runConsole, runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type InterfaceRun, interfaceRuns } from '../support/interface-runs.js';
import { describeCommands, shapeOf } from '../support/interface-text.js';
import { manifestCommands } from '../support/manifest.js';
import { inTurns, type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { checkReceipt } from '../support/receipts.js';
import { makeFamily } from '../support/small-world.js';

const commands = manifestCommands();
const FOLDER = join(packageRoot(), 'test', 'systems');
const STACK = /^\s+at .*[:(]|node_modules|UnhandledPromise|\.js:\d+/m;
/** Keys below them are columns of tables, not of ours. */
const MAPS = ['before', 'after'];
const SLOW = 1_200_000;

/** What the runs taught about each command. */
const learned = new Map<string, { readonly codes: Set<number>; readonly shape: Set<string>; ok: boolean }>();
const folder = mkdtempSync(join(tmpdir(), 'nestctl-interface-'));
let database: TestDatabase;
let me: OperatorConsole;
let env: Record<string, string>;
let runs: Record<string, InterfaceRun>;

beforeAll(async () => {
  database = await createTestDatabase();
  const family = await makeFamily(database, { name: 'Tremblay', notes: 'night' });
  me = await operatorConsole(database);
  env = { ...me.env, NESTCTL_HOME: join(folder, 'home') };
  runs = interfaceRuns({ family, folder });
  await me.json(['analytics', 'refresh', '--reason', 'figures', '--ticket', 'OPS-1']);
});
afterAll(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Without stdin at all, as under some schedulers. */
async function withoutStdin(args: readonly string[]): Promise<Finished> {
  const words = [
    '-c',
    'exec "$@" <&-',
    'sh',
    process.execPath,
    join(packageRoot(), 'bin', 'run.js'),
    ...args,
  ];
  const child = spawn('sh', words, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'pipe' });
  return await finished(child);
}

const PLACES = {
  pipe: (args: readonly string[]) => runConsole(args, { env }),
  'no stdin': withoutStdin,
  terminal: (args: readonly string[]) => runOnTerminal(args, { env }),
} as const;

interface Body {
  readonly ok: boolean;
  readonly result?: unknown;
  readonly meta?: Parameters<typeof checkReceipt>[2];
}

/** The one document of stdout. A terminal shows stderr too, which tells of plan and work before it. */
function parseOnly(stdout: string, what: string): Body {
  const lines = stdout.replaceAll('\r\n', '\n').split('\n');
  const start = what.includes('(terminal') ? Math.max(0, lines.indexOf('{')) : 0;
  try {
    return JSON.parse(lines.slice(start).join('\n'));
  } catch {
    throw new Error(`${what}: stdout is not one JSON document:\n${stdout}`);
  }
}

function learn(id: string, code: number, body: { ok: boolean; result?: unknown }): void {
  const known = learned.get(id) ?? { codes: new Set(), shape: new Set(), ok: false };
  learned.set(id, known);
  known.codes.add(code);
  if (!body.ok) return;
  known.ok = true;
  for (const line of shapeOf(body.result, MAPS)) known.shape.add(line);
}

describe('every command of the build', () => {
  // What can be done once comes first where others look at what it has made, and last where it unmakes it.
  const onceOf = (ids: (id: string) => boolean) => async () => {
    for (const [id, run] of Object.entries(runs)) {
      if (!ids(id)) continue;
      for (const words of run.once ?? []) {
        const { code, stdout } = await runConsole([...id.split(':'), ...words, '--json'], { env });
        const body = parseOnly(stdout, id);
        expect([id, words, body.ok, code], stdout).toEqual([id, words, true, expect.any(Number)]);
        await checkReceipt(database, id, body.meta);
        learn(id, code ?? -1, body);
      }
    }
  };

  it(
    'answers what can be done once',
    onceOf((id) => id !== 'access:close'),
    SLOW,
  );

  it(
    'ends the same way on a terminal, in a pipe and without stdin, in text and in one JSON document, with no stack and no question',
    async () => {
      const everywhere = async (command: (typeof commands)[number]) => {
        const { id } = command;
        const args = [...id.split(':'), ...(runs[id]?.everywhere ?? [])];
        if (id === 'demo' || id === 'local:up' || id === 'local:seed') return;
        const codes: Record<string, number | null> = {};
        for (const [place, run] of Object.entries(PLACES)) {
          // On a terminal questions are right, and have their own tests.
          const asks = place === 'terminal' && runs[id]?.everywhere === undefined;
          // In a pipe both; on a terminal and without stdin every other command, the one as JSON where the other is text.
          const one = (commands.indexOf(command) % 2 === 0) === (place === 'terminal');
          for (const json of asks ? [true] : place === 'pipe' ? [true, false] : [one]) {
            const { code, stdout, stderr } = await run(json ? [...args, '--json'] : args);
            const what = `${args.join(' ')} (${place}, ${json ? 'JSON' : 'text'})`;
            expect(`${stdout}${stderr}`, what).not.toMatch(STACK);
            expect(Object.values(EXIT), what).toContain(code);
            codes[what] = code;
            if (!json) continue;
            const body = parseOnly(stdout, what);
            await checkReceipt(database, what, body.meta);
            if (place === 'pipe') learn(id, code ?? -1, body);
          }
        }
        const different = [...new Set(Object.values(codes))];
        expect(different, `exit codes differ: ${JSON.stringify(codes)}`).toHaveLength(1);
      };
      // Migrations, maintenance and proofs keep each other out, and would end with 6 beside one another.
      const locking = ({ id }: { readonly id: string }) => /^(db:|maintenance:|access:prove)/.test(id);
      await inTurns(
        commands.filter((command) => !locking(command)),
        everywhere,
      );
      await inTurns(commands.filter(locking), everywhere, 1);
    },
    SLOW,
  );

  it(
    'that starts a server says so where it cannot, everywhere alike',
    async () => {
      // A home below a device: even as root no server can be made there.
      const nowhere = { ...env, NESTCTL_HOME: '/dev/null/nestctl' };
      for (const words of [['local', 'up'], ['local', 'seed'], ['demo']]) {
        const inText = await runConsole(words, { env: nowhere });
        const inJson = await runConsole([...words, '--json'], { env: nowhere });
        const body = parseOnly(inJson.stdout, words.join(' '));
        expect([words, inText.code, inJson.code, body.ok]).toEqual([words, inText.code, inText.code, false]);
        expect(`${inText.stdout}${inText.stderr}${inJson.stderr}`).not.toMatch(STACK);
        learn(words.join(':'), inJson.code ?? -1, body);
      }
    },
    SLOW,
  );

  it(
    'answers what ends it',
    onceOf((id) => id === 'access:close'),
    SLOW,
  );
});

describe('the stable interface', () => {
  const HOW =
    'The interface that scripts depend on has changed. If that is meant, and CHANGELOG.md says so, write it down with: ' +
    'UPDATE_INTERFACE=1 npx vitest run --config test/vitest.config.ts --project systems test/systems/every-command.test.ts';

  function compare(file: string, now: string): void {
    const path = join(FOLDER, file);
    if (process.env.UPDATE_INTERFACE) writeFileSync(path, now);
    expect(now, HOW).toBe(readFileSync(path, 'utf8'));
  }

  it('of commands, arguments and flags is as written down', () => {
    compare('interface-commands.txt', describeCommands(commands));
  });

  it('of results and exit codes is as written down', () => {
    const known = readFileSync(join(FOLDER, 'interface-results.txt'), 'utf8').split(/\n{2}/);
    const heads = new Set(known.map((block) => block.split('\n')[0]));
    // A new command fails the test above until it is written down, and this then learns it too.
    const told = commands.filter(
      ({ id }) => process.env.UPDATE_INTERFACE !== undefined || heads.has(id.replaceAll(':', ' ')),
    );
    const text = told.map(({ id }) => {
      const { codes, shape, ok } = learned.get(id) ?? { codes: new Set(), shape: new Set(), ok: false };
      const answers = ok ? [...shape].sort() : ['(no result was seen here: only how it refuses)'];
      const exits = [...codes].sort((a, b) => a - b).join(', ');
      return `${[id.replaceAll(':', ' '), `exit ${exits}`, ...answers].join('\n  ')}\n`;
    });
    compare('interface-results.txt', text.join('\n'));
  });

  it('of the envelope, its errors and the exit codes is as written down', async () => {
    const ok = await runConsole(['context', 'list', '--json'], { env });
    const failed = await runConsole(['context', 'show', 'nope', '--json'], { env });
    expect(Object.keys(JSON.parse(ok.stdout))).toEqual([
      'ok',
      'command',
      'context',
      'result',
      'warnings',
      'meta',
    ]);
    expect(Object.keys(JSON.parse(ok.stdout).meta)).toEqual(
      expect.arrayContaining(['version', 'request', 'exit_code', 'next', 'next_cursor']),
    );
    expect(Object.keys(JSON.parse(failed.stdout))).toEqual(['ok', 'command', 'context', 'error']);
    expect(Object.keys(JSON.parse(failed.stdout).error)).toEqual([
      'code',
      'message',
      'hint',
      'next',
      'exitCode',
    ]);
    expect(EXIT).toEqual({
      ...{ done: 0, failure: 1, usage: 2, finding: 3, not_allowed: 4, not_found: 5, conflict: 6 },
      ...{ needs_input: 7, pending: 8, partial: 9, interrupted: 130 },
    });
  });
});
