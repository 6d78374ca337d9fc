import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { Judged } from './judge.js';

/** Longer than this is a hang: a busy machine takes seconds, not a minute. */
const PATIENCE = 60_000;

export interface Ended {
  readonly number: number;
  readonly argv: readonly string[];
  readonly judged: Judged;
}

/** Runs lines in a few processes, each through the console's own start(). A process that hangs is replaced. */
export async function runLines(
  lines: Iterable<{ readonly number: number; readonly argv: readonly string[] }>,
  options: { readonly env: Readonly<Record<string, string>>; readonly lanes?: number },
): Promise<Ended[]> {
  const waiting = lines[Symbol.iterator]();
  const ended: Ended[] = [];
  const lane = async () => {
    let worker = await startWorker(options.env);
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const { number, argv } = next.value;
      const judged = await answer(worker, argv);
      ended.push({ number, argv, judged });
      if (worker.connected && judged.code !== null) continue;
      worker.kill('SIGKILL');
      worker = await startWorker(options.env);
    }
    worker.kill('SIGKILL');
  };
  await Promise.all(Array.from({ length: options.lanes ?? 2 }, lane));
  return ended.sort((a, b) => a.number - b.number);
}

async function startWorker(env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const worker = fork(join(packageRoot(), 'test', 'support', 'fuzz', 'worker.ts'), {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let complaint = '';
  worker.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString('utf8').slice(0, 2_000);
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('exit', (code) => reject(new Error(`the fuzz worker ended with ${code}: ${complaint}`)));
  });
  worker.removeAllListeners('exit');
  return worker;
}

async function answer(worker: ChildProcess, argv: readonly string[]): Promise<Judged> {
  return await new Promise((resolve) => {
    const strays: string[] = [];
    const lost = (problem: string): Judged => ({ code: null, problems: [problem], stdout: '', stderr: '' });
    const settle = (judged: Judged) => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('exit');
      judged.problems.push(...strays);
      resolve(judged);
    };
    const timer = setTimeout(() => settle(lost('it hangs')), PATIENCE);
    worker.on('message', (message: Judged | { stray: string }) => {
      if ('stray' in message) strays.push(`an unhandled rejection: ${message.stray}`);
      else settle(message);
    });
    worker.once('exit', (code, signal) => settle(lost(`it ended the process: ${signal ?? code}`)));
    worker.send(argv);
  });
}
