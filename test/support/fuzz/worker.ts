/**
 * Runs command lines through the real start() of the built console, one after the other in one process: what bin/run.js
 * does, without Node's own start each time. Told a line by its parent, it answers with what became of it.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../../src/platform/package-root.js';
import { type Judged, judgeRun } from './judge.js';

class Exit extends Error {}

const root = packageRoot();
const { start } = (await import(pathToFileURL(join(root, 'dist/src/console/start.js')).href)) as {
  start(options: { root: string }): Promise<void>;
};
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
process.stderr.setMaxListeners(0);
/** What no output may hold, whatever the line. */
const forbidden: string[] = JSON.parse(process.env.FUZZ_FORBIDDEN ?? '[]');
const environment = { ...process.env };
// Where a relative name would be written: nobody can, not even root.
process.chdir('/proc');

async function runLine(argv: readonly string[]): Promise<Judged> {
  const said = { stdout: '', stderr: '' };
  const real = {
    stdout: process.stdout.write,
    stderr: process.stderr.write,
    exit: process.exit,
    argv: process.argv,
  };
  let exited: number | undefined;
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      said[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
      done?.();
      return true;
    }) as typeof process.stdout.write;
  }
  process.exit = ((code?: number) => {
    exited ??= code ?? Number(process.exitCode ?? 0);
    throw new Exit('exit');
  }) as typeof process.exit;
  process.argv = [process.execPath, join(root, 'bin', 'run.js'), ...argv];
  process.exitCode = undefined;
  let thrown: unknown;
  try {
    await start({ root });
  } catch (error) {
    if (!(error instanceof Exit)) thrown = error;
  } finally {
    process.stdout.write = real.stdout;
    process.stderr.write = real.stderr;
    process.exit = real.exit;
    process.argv = real.argv;
    process.stdout.removeAllListeners('error');
    process.stderr.removeAllListeners('error');
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
  }
  const code = exited ?? Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  const judged = judgeRun(argv, { code, ...said }, forbidden);
  if (thrown !== undefined) judged.problems.push(`start() itself threw: ${(thrown as Error)?.stack}`);
  return judged;
}

process.on('unhandledRejection', (error) => {
  if (!(error instanceof Exit)) process.send?.({ stray: String((error as Error)?.stack ?? error) });
});
process.on('message', (argv: string[]) => {
  void runLine(argv).then((judged) => process.send?.(judged));
});
process.send?.('ready');
