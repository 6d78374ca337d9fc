import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { EXIT, NestctlError } from '../platform/errors.js';
import { packageRoot } from '../platform/package-root.js';
import { environmentForPrograms } from '../platform/program.js';
import { paintFor } from './colour.js';
import { commandLine } from './command-line.js';

/** One command of a tour, with a word on why. */
export interface Stop {
  readonly about: string;
  /** The words after `nestctl`. */
  readonly words: readonly string[];
  /** Exit codes that let the tour go on; 0 alone when absent. */
  readonly passing?: readonly number[];
}

export interface Visit {
  readonly command: string;
  readonly exit_code: number;
}

export interface TourOptions {
  readonly context: string;
  /** Under --json stdout belongs to the envelope: what the commands print then goes to stderr. */
  readonly json: boolean;
}

/**
 * Runs real commands one after the other, each printed before its output so that it can be copied. Stops at the
 * first that fails.
 */
export async function takeTour(stops: readonly Stop[], options: TourOptions): Promise<Visit[]> {
  const screen = options.json ? process.stderr : process.stdout;
  const paint = paintFor(screen);
  const visits: Visit[] = [];
  for (const { about, words, passing = [EXIT.done] } of stops) {
    const command = commandLine(words);
    screen.write(`\n${paint('muted', `# ${about}`)}\n${paint('strong', `$ ${command}`)}\n`);
    const exit_code = await runHere(words, options);
    visits.push({ command, exit_code });
    if (!passing.includes(exit_code)) {
      throw new NestctlError(`The tour stopped: "${command}" ended with exit code ${exit_code}.`, {
        kind: exit_code === EXIT.interrupted ? 'interrupted' : 'failure',
        code: 'tour_stopped',
        hint: 'What went wrong stands above. Run it again by itself, or look around with:',
        next: 'nestctl doctor --verbose',
      });
    }
  }
  return visits;
}

const BIN = join(packageRoot(), 'bin', 'run.js');

async function runHere(words: readonly string[], { context, json }: TourOptions): Promise<number> {
  const {
    NESTCTL_DUTY: _duty,
    NESTCTL_REASON: _reason,
    NESTCTL_TICKET: _ticket,
    ...env
  } = environmentForPrograms();
  const child = spawn(process.execPath, [BIN, ...words], {
    stdio: ['ignore', json ? 2 : 'inherit', 'inherit'],
    env: { ...env, NESTCTL_CONTEXT: context },
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? EXIT.interrupted));
  });
}
