import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ConnectionTarget } from '../../src/platform/database/target.js';

const PROGRAM = `
  const [root, options] = process.argv.slice(1);
  const { migrate } = await import(root + 'src/platform/migrations/index.ts');
  try {
    const report = await migrate({
      ...JSON.parse(options),
      onStep: (step) => process.stdout.write(JSON.stringify(step) + '\\n'),
    });
    process.stdout.write(JSON.stringify({ type: 'report', report }) + '\\n');
  } catch (error) {
    process.stdout.write(JSON.stringify({ type: 'error', code: error.code, message: error.message }) + '\\n');
  }
`;

/** A migrator in a process of its own, of the sources, that a test can kill. */
export class MigratorProcess {
  readonly #child: ChildProcess;
  #output = '';

  constructor(options: { target: ConnectionTarget; folder: string; patience?: number }) {
    const root = new URL('../../', import.meta.url).href;
    this.#child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, root, JSON.stringify(options)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** What it has reported so far. */
  get steps(): { type: string; [key: string]: unknown }[] {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { type: string });
  }

  /** As `kill -9` does: it cannot tidy up. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Waits for its end and gives its last word. */
  async end(): Promise<{ type: string; [key: string]: unknown }> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    const last = this.steps.at(-1);
    if (last === undefined) throw new Error('the migrator ended without a word');
    return last;
  }
}
