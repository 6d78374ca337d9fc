import { paintFor } from './colour.js';
import type { Page } from './render/page.js';
import { safeText } from './safe-text.js';
import type { View } from './views.js';

/** True where a person can be shown something and asked: nothing is read from or lost in a pipe. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && process.stderr.isTTY === true;
}

/** A line beside the data, on stderr. */
export function say(text: string): void {
  process.stderr.write(`${safeText(text)}\n`);
}

/** Draws views on a stream, as wide as its terminal. */
export async function draw(
  view: View | readonly View[],
  stream: NodeJS.WriteStream,
  options: Pick<Page, 'zone' | 'columns'>,
): Promise<void> {
  const { render } = await import('./render/index.js');
  const width = stream.isTTY && stream.columns > 0 ? stream.columns : undefined;
  stream.write(render(view, { width, paint: paintFor(stream), note: say, ...options }));
}

/** Asks yes or no on the terminal; no is the default. Ctrl-C throws the prompt's own error. */
export async function askYesNo(question: string): Promise<boolean> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt<{ answer: boolean }>([
    { type: 'confirm', name: 'answer', message: safeText(question), default: false },
  ]);
  return answer;
}

/** Asks for a line of text that says something. */
export async function askText(question: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt<{ answer: string }>([
    {
      type: 'input',
      name: 'answer',
      message: safeText(question),
      validate: (input: string) => input.trim() !== '' || 'It must say something.',
    },
  ]);
  return answer.trim();
}
