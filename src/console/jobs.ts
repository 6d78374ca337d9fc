import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { EXIT } from '../platform/errors.js';
import { packageRoot } from '../platform/package-root.js';
import { paintFor } from './colour.js';
import { commandLine } from './command-line.js';
import { askChoice, say } from './terminal.js';

interface Step {
  readonly about: string;
  /** The words after `nestctl`, or a line to complete where it ends in `…`. */
  readonly words: readonly string[];
  /** Only reads: it may be run from here. What it needs it asks for itself. */
  readonly reads?: true;
}

export interface Job {
  readonly name: string;
  readonly day: string;
  readonly steps: readonly Step[];
}

/** The three jobs, each with the commands that come first. */
export const JOBS: readonly Job[] = [
  {
    name: 'support',
    day: 'somebody cannot see or do something in the app',
    steps: [
      { about: 'find the family, and see who sees what in it', words: ['family', 'show'], reads: true },
      { about: 'what you may read now, and until when', words: ['access', 'list'], reads: true },
      { about: 'open access to a family for a while, saying why', words: ['access', 'open'] },
      { about: 'who changed what, and when', words: ['audit', 'query', '--limit', '10'], reads: true },
    ],
  },
  {
    name: 'compliance',
    day: 'a request with a legal clock, or an auditor with a question',
    steps: [
      { about: 'what waits for an answer, the most urgent first', words: ['request', 'list'], reads: true },
      { about: 'who changed what, when and why', words: ['audit', 'query', '--limit', '10'], reads: true },
      { about: 'is the signed evidence as it was signed?', words: ['evidence', 'verify'], reads: true },
      { about: 'the newest records', words: ['evidence', 'list'], reads: true },
      {
        about: 'the same records as a page for people',
        words: ['evidence', 'show', '--html', 'record.html'],
      },
    ],
  },
  {
    name: 'recovery',
    day: 'data is gone or wrong, or a server is down',
    steps: [
      { about: 'what is wrong, the worst first', words: ['doctor'], reads: true },
      { about: 'can every service of the context be reached?', words: ['context', 'check'], reads: true },
      { about: 'who changed most lately', words: ['audit', 'query', '--since', '1h'], reads: true },
      { about: 'which migrations are applied', words: ['db', 'status'], reads: true },
    ],
  },
];

const BIN = join(packageRoot(), 'bin', 'run.js');

/**
 * What `nestctl` alone offers a person: one of the three jobs, its first commands, and to run one that only reads,
 * printed before it is run. Throws the prompt's own error where that person leaves.
 */
export async function offerJobs(known: readonly string[]): Promise<void> {
  const name = await askChoice('nestctl. What is it about?', async (typed = '') =>
    JOBS.filter((job) => `${job.name} ${job.day}`.includes(typed.toLowerCase())).map((job) => ({
      value: job.name,
      label: `${job.name.padEnd(10)}  ${job.day}`,
    })),
  );
  const steps = JOBS.find((job) => job.name === name)?.steps.filter((step) => isKnown(step, known)) ?? [];
  const paint = paintFor(process.stderr);
  const width = Math.max(...steps.map(({ words }) => commandLine(words).length));
  process.stderr.write('\n');
  for (const { words, about } of steps) {
    process.stderr.write(`  ${paint('strong', commandLine(words).padEnd(width))}  ${about}\n`);
  }
  say('  nestctl help | nestctl COMMAND --help: all the rest\n'.trimEnd());
  const readable = steps.filter(({ reads }) => reads === true);
  const chosen = await askChoice('Run one of those that only read?', async (typed = '') =>
    [
      { value: '', label: 'no, leave' },
      ...readable.map(({ words, about }) => ({
        value: commandLine(words),
        label: commandLine(words),
        note: about,
      })),
    ].filter(({ label }) => label.includes(typed)),
  );
  const step = readable.find(({ words }) => commandLine(words) === chosen);
  if (step === undefined) return;
  process.stderr.write(`${paint('strong', `$ ${chosen}`)}\n`);
  process.exitCode = await runHere(step.words);
}

function isKnown({ words }: Step, known: readonly string[]): boolean {
  return known.some((id) => id === words.slice(0, id.split(':').length).join(':'));
}

async function runHere(words: readonly string[]): Promise<number> {
  // Ctrl-C reaches both; how it ends is for the command to say.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  const child = spawn(process.execPath, [BIN, ...words], { stdio: 'inherit' });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? EXIT.interrupted));
  });
}
