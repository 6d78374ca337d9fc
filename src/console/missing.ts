import { NestctlError } from '../platform/errors.js';
import { type Ask, fromList } from './choices.js';
import { askText, canAsk } from './terminal.js';

/** An argument or flag that a command cannot do without. */
export interface Needed {
  readonly name: string;
  /** As it is written on the command line: `FAMILY` or `--host`. */
  readonly written: string;
  readonly description: string | undefined;
  readonly options: readonly string[] | undefined;
  /** Else it is asked for only where the command wants it. */
  readonly required: boolean;
  /** Turns what was typed into a value; throws where it is none. */
  readonly parse: (input: string) => Promise<unknown>;
  /** How the command itself asks for it. */
  readonly ask: Ask | undefined;
}

/** Names of what to ask for besides what is required, once that is known. */
export type Wanted = readonly string[] | Promise<readonly string[]>;

/** What a command was given, by name, and where answers are put. */
export interface Given {
  readonly args: Record<string, unknown>;
  readonly flags: Record<string, unknown>;
}

/**
 * Fills in what is missing: asked for on a terminal, one after the other; elsewhere throws `needs_input` naming all
 * that is required. Answers the words that would have said it on the command line.
 */
export async function fillMissing(
  needed: readonly Needed[],
  given: Given,
  screen: { readonly json: boolean; readonly wanted: () => Wanted; readonly help: string },
): Promise<string[]> {
  const place = ({ written }: Needed) => (isFlag(written) ? given.flags : given.args);
  const missing = needed.filter((one) => place(one)[one.name] === undefined);
  if (screen.json || !canAsk()) {
    refuse(
      missing.filter(({ required }) => required),
      screen.help,
    );
    return [];
  }
  const wanted = await screen.wanted();
  const words: string[] = [];
  for (const one of missing.filter(({ name, required }) => required || wanted.includes(name))) {
    const typed = await ask(one);
    place(one)[one.name] = await one.parse(typed);
    words.push(isFlag(one.written) ? `${one.written}=${typed}` : typed);
  }
  return words;
}

function refuse(missing: readonly Needed[], help: string): void {
  if (missing.length === 0) return;
  const written = missing.map((one) => one.written);
  const told = missing.map(
    ({ written: name, options, description }) => `${name}: ${options?.join(', ') ?? description}`,
  );
  throw new NestctlError(`This needs ${written.join(', ')}, and there is no terminal to ask at.`, {
    kind: 'needs_input',
    code: written.every(isFlag) ? 'flag_missing' : 'argument_missing',
    hint: told.join('; '),
    next: help,
  });
}

function isFlag(written: string): boolean {
  return written.startsWith('--');
}

async function ask({ name, description, options, parse, ask: own }: Needed): Promise<string> {
  if (own !== undefined) return await own();
  if (options !== undefined) {
    return await fromList(`Which ${name}?`, async () => options.map((value) => ({ value, label: value })))();
  }
  return await askText(`${name}${description === undefined ? '' : ` (${description})`}:`, async (input) => {
    try {
      await parse(input);
      return true;
    } catch (error) {
      // Our own parsers say what is wrong with what was typed, to the person who typed it.
      return error instanceof Error ? error.message : 'That will not do.';
    }
  });
}
