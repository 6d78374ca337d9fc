import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ConsoleOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is then closed; stdin is empty when absent. */
  readonly input?: string;
}

const bin = join(packageRoot(), 'bin', 'run.js');

/** Starts the built nestctl as a process of its own; its environment holds nothing of this one but PATH. */
export function startConsole(
  args: readonly string[],
  options: ConsoleOptions = {},
): ChildProcessWithoutNullStreams {
  return spawnWith([process.execPath, bin, ...args], options);
}

export async function runConsole(args: readonly string[], options: ConsoleOptions = {}): Promise<Finished> {
  const child = startConsole(args, options);
  child.stdin.end(options.input ?? '');
  return await finished(child);
}

/**
 * Runs nestctl on a terminal of its own (util-linux `script`), typing `keys` once `until` is on the screen. Both
 * streams arrive as one, as a person sees them.
 */
export async function runOnTerminal(
  args: readonly string[],
  options: ConsoleOptions & {
    readonly columns?: number;
    /** Lines of the screen; unknown, and so without a pager, when absent. */
    readonly rows?: number;
    /** Put before the command on its command line, such as `yes |`. */
    readonly before?: string;
    readonly type?: readonly { readonly at: string; readonly keys: string }[];
  } = {},
): Promise<Finished> {
  const words = [process.execPath, bin, ...args]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(' ');
  const before = options.before ?? 'exec';
  const command = `stty cols ${options.columns ?? 120} rows ${options.rows ?? 0}; ${before} ${words}`;
  const child = spawnWith(['script', '--quiet', '--return', '--command', command, '/dev/null'], {
    ...options,
    env: { TERM: 'xterm-256color', ...options.env },
  });
  const waiting = [...(options.type ?? [])];
  let screen = '';
  let typing = false;
  child.stdout.on('data', (text: Buffer) => {
    screen += text.toString('utf8');
    const next = waiting[0];
    if (typing || next === undefined || !screen.includes(next.at)) return;
    waiting.shift();
    typing = true;
    // The prompt draws itself before it listens; and what it draws until then is no answer to these keys.
    setTimeout(() => {
      screen = '';
      typing = false;
      child.stdin.write(next.keys);
    }, 400);
  });
  return await finished(child);
}

export async function finished(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
}

/** A context file of the test's own, removed when its file of tests is done; hand its `env` to runConsole. */
export async function contextFile(
  text: string,
  mode = 0o600,
): Promise<{ path: string; env: Record<string, string> }> {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-console-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'contexts.toml');
  await writeFile(path, text);
  await chmod(path, mode);
  return { path, env: { NESTCTL_CONFIG: path } };
}

/** What runs leave in their log, apart from this machine's own. */
const home = mkdtempSync(join(tmpdir(), 'nestctl-home-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

function spawnWith(words: readonly string[], options: ConsoleOptions): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = words;
  const env = { PATH: process.env.PATH ?? '', NESTCTL_HOME: home, ...options.env };
  return spawn(program, args, { env, stdio: 'pipe' });
}
