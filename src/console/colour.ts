import { styleText } from 'node:util';

/** How a piece of text is meant; the terminal decides how that looks. */
export type Tone = 'good' | 'bad' | 'warn' | 'unknown' | 'muted' | 'strong';

const FORMATS = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  unknown: 'magenta',
  muted: 'dim',
  strong: 'bold',
} as const;

/** True where `--json` is asked for, even if the command line cannot be parsed. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

/**
 * Decides once whether to colour, before any library is loaded: they read FORCE_COLOR, but not all of them
 * NO_COLOR or CLICOLOR_FORCE.
 */
export function settleColour(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  if (env.NO_COLOR || env.TERM === 'dumb' || wantsJson(argv)) {
    env.FORCE_COLOR = '0';
    // Node warns on stderr where it finds both.
    delete env.NO_COLOR;
  } else if (env.CLICOLOR_FORCE && env.CLICOLOR_FORCE !== '0') env.FORCE_COLOR = '1';
  else if (env.CLICOLOR === '0') env.FORCE_COLOR = '0';
}

export type Paint = (tone: Tone | undefined, text: string) => string;

/** The painter for one stream: plain where it is no terminal, unless colour was forced. */
export function paintFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Paint {
  const forced = env.FORCE_COLOR;
  const coloured =
    forced === undefined || forced === '' ? stream.isTTY === true : forced !== '0' && forced !== 'false';
  if (!coloured) return (_, text) => text;
  return (tone, text) =>
    tone === undefined ? text : styleText(FORMATS[tone], text, { validateStream: false });
}
