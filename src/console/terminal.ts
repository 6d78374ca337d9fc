import { NestctlError } from '../platform/errors.js';
import { paintFor } from './colour.js';
import type { Page } from './render/page.js';
import { safeText } from './safe-text.js';
import type { Stages } from './stages.js';
import type { View } from './views.js';

/**
 * True where a person can be shown something and asked: nothing is read from or lost in a pipe, and a terminal
 * without a cursor draws no prompt.
 */
export function canAsk(): boolean {
  const { stdin, stdout, stderr, env } = process;
  return stdin.isTTY === true && stdout.isTTY === true && stderr.isTTY === true && env.TERM !== 'dumb';
}

let moving: Stages | undefined;

/** Names the line that moves on stderr, so that whatever else is written there does not run into it. */
export function keepClearOf(stages: Stages): void {
  moving = stages;
}

/** A line beside the data, on stderr. */
export function say(text: string): void {
  moving?.yield();
  process.stderr.write(`${safeText(text)}\n`);
}

/** A line that must not be overlooked, on stderr. */
export function sayLoud(text: string): void {
  moving?.yield();
  process.stderr.write(`${paintFor(process.stderr)('strong', safeText(text))}\n`);
}

/** What to type next, on stderr. */
export function sayNext(command: string): void {
  moving?.yield();
  process.stderr.write(`${paintFor(process.stderr)('muted', 'next')}  ${safeText(command)}\n`);
}

/** A line of data on stdout, once a slow reader has taken what came before. */
export async function printLine(text: string): Promise<void> {
  moving?.stop();
  if (process.stdout.write(`${safeText(text)}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

/** Draws views on a stream, as wide as its terminal. */
export async function draw(
  view: View | readonly View[],
  stream: NodeJS.WriteStream,
  options: Pick<Page, 'zone' | 'columns'>,
): Promise<void> {
  const { render } = await import('./render/index.js');
  moving?.stop();
  const width = stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
  stream.write(render(view, { width, paint: paintFor(stream), note: say, ...options }));
}

/** Asks yes or no on the terminal; no is the default. Ctrl-C throws the prompt's own error. */
export async function askYesNo(question: string): Promise<boolean> {
  const { default: inquirer } = await import('inquirer');
  moving?.stop();
  const { answer } = await inquirer.prompt<{ answer: boolean }>([
    { type: 'confirm', name: 'answer', message: safeText(question), default: false },
  ]);
  return answer;
}

/** Asks for a line of text that says something, and passes the check where there is one. */
export async function askText(
  question: string,
  check: (input: string) => Promise<string | true> = async () => true,
): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  moving?.stop();
  const { answer } = await inquirer.prompt<{ answer: string }>([
    {
      type: 'input',
      name: 'answer',
      message: safeText(question),
      validate: (input: string) => (input.trim() === '' ? 'It must say something.' : check(input.trim())),
    },
  ]);
  return answer.trim();
}

/** Something to choose, and how it looks in a list. */
export interface Choice {
  readonly value: string;
  readonly label: string;
  /** More on it, shown while it is under the cursor. */
  readonly note?: string | undefined;
}

/**
 * Asks for one of what `find` answers to the letters typed so far; undefined before the first. What `find` throws
 * is shown under the question, and typing goes on.
 */
export async function askChoice(
  question: string,
  find: (typed: string | undefined, signal: AbortSignal) => Promise<readonly Choice[]>,
): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  moving?.stop();
  const { answer } = await inquirer.prompt<{ answer: string }>([
    {
      type: 'search',
      name: 'answer',
      message: safeText(question),
      pageSize: 10,
      source: async (typed: string | undefined, { signal }: { signal: AbortSignal }) =>
        (await find(typed, signal).catch(harmless)).map(({ value, label, note }) => ({
          value,
          name: safeText(label),
          short: safeText(value),
          ...(note === undefined ? {} : { description: safeText(note) }),
        })),
    },
  ]);
  return answer;
}

/** The prompt prints what was thrown as it is: only our own sentences may pass. */
function harmless(error: unknown): never {
  if (!(error instanceof NestctlError)) throw new Error('nestctl itself failed here. Ctrl-C leaves.');
  throw new Error(safeText([error.message, error.hint].filter((part) => part !== undefined).join(' ')));
}

/** Asks for what nobody may see on the screen. */
export async function askSecret(question: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt<{ answer: string }>([
    { type: 'password', name: 'answer', message: safeText(question), mask: false },
  ]);
  return answer;
}
