import { homedir } from 'node:os';
import type { Interfaces } from '@oclif/core';
import { NestctlError } from '../platform/errors.js';
import { holdsPassword } from '../platform/url-password.js';
import { settleColour, wantsJson } from './colour.js';

/**
 * Runs the command line of this process. Loads nothing heavy itself, so that help and version start as fast as
 * a bare oclif.
 */
export async function start(options: Interfaces.Options): Promise<void> {
  const argv = process.argv.slice(2);
  settleColour(argv);
  surviveClosedPipes();
  surviveUnknownUser();
  try {
    refuseTooMany(argv);
    refuseBrokenText(argv);
    refusePasswords(argv);
    refuseSecretKeys(argv);
    const [{ run }, { settings }] = await Promise.all([
      import('@oclif/core/run'),
      import('@oclif/core/settings'),
    ]);
    if (argv.length === 0 && atTerminal()) return await offer(options);
    const words = argv[0] === 'help' ? await helpWords(argv.slice(1)) : argv;
    if (words === undefined) return;
    // Else a NODE_ENV of the caller's own would decide whether sources or the build are run.
    settings.enableAutoTranspile = false;
    await run(words, options);
  } catch (error) {
    if (exitsCleanly(error)) return;
    const { presentError } = await import('./present-error.js');
    const { RunLog } = await import('./run-log.js');
    const run = { command: null, typed: [], known: [], version: '', request: null };
    const log = new RunLog(run, () => ({ context: undefined, duty: undefined }));
    presentError(error, {
      json: wantsJson(argv),
      verbose: argv.includes('--verbose'),
      log: ({ code, exitCode }, unexpected) => log.end(exitCode, { code, unexpected }),
    });
  }
}

function atTerminal(): boolean {
  const { stdin, stdout, stderr, env } = process;
  return stdin.isTTY === true && stdout.isTTY === true && stderr.isTTY === true && env.TERM !== 'dumb';
}

/** `nestctl` alone, at a terminal. */
async function offer(options: Interfaces.Options): Promise<void> {
  const [{ offerJobs }, { Config }] = await Promise.all([import('./jobs.js'), import('@oclif/core/config')]);
  const { commandIDs } = await Config.load(options);
  await offerJobs(commandIDs);
}

/** `nestctl help …`: a topic is printed here; a command's help is oclif's, and so is what comes back. */
async function helpWords(about: readonly string[]): Promise<string[] | undefined> {
  const [name, ...rest] = about.filter((word) => !word.startsWith('-'));
  if (name === undefined) return ['--help'];
  const { TOPICS } = await import('./help-topics.js');
  if (!Object.hasOwn(TOPICS, name) || rest.length > 0) return [...about, '--help'];
  process.stdout.write(`${TOPICS[name]?.lines().join('\n')}\n`);
  return undefined;
}

/** A reader that has seen enough (`| head`) is no failure; a lost stderr must not stop work half way. */
function surviveClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
  process.stderr.on('error', () => undefined);
}

/** Containers run programs under ids without a passwd entry; oclif's questions for shell and home throw there. */
function surviveUnknownUser(): void {
  process.env.SHELL ??= 'unknown';
  try {
    homedir();
  } catch {
    process.env.HOME = '/';
  }
}

/** No command takes so many, and oclif needs a minute to look through a megabyte of them. */
const MOST_WORDS = 500;

function refuseTooMany(argv: readonly string[]): void {
  if (argv.length <= MOST_WORDS) return;
  throw new NestctlError(`The command line has ${argv.length} words; at most ${MOST_WORDS} are read.`, {
    kind: 'usage',
    code: 'too_many_words',
    hint: 'Was a pattern of the shell meant to be in quotes?',
  });
}

/** Node turns bytes that are no UTF-8 into U+FFFD; what was meant is lost, so nothing may be done with it. */
function refuseBrokenText(argv: readonly string[]): void {
  const at = argv.findIndex((word) => word.includes('\ufffd'));
  if (at === -1) return;
  throw new NestctlError(`Word ${at + 1} of the command line is not valid UTF-8.`, {
    kind: 'usage',
    code: 'invalid_text',
    hint: 'Set a UTF-8 locale, and type the name again.',
  });
}

/** What is typed is quoted in errors, kept as a reason, and there for all of this machine to read. */
function refusePasswords(argv: readonly string[], env = process.env): void {
  const at = argv.findIndex(holdsPassword);
  const variable = Object.keys(env).find((name) => /^NESTCTL_/.test(name) && holdsPassword(env[name] ?? ''));
  if (at === -1 && variable === undefined) return;
  throw new NestctlError(`${at === -1 ? variable : `Word ${at + 1} of the command line`} holds a password.`, {
    kind: 'usage',
    code: 'password_given',
    hint: 'Name where it comes from in a context: a passfile, an environment variable or a program. Change it, where others could read this.',
    next: 'nestctl context add --help',
  });
}

/** A key in whatever case, since bech32 has both; a passphrase as oclif would take it, for the next argument. */
function refuseSecretKeys(argv: readonly string[]): void {
  const key = argv.findIndex((word) => /AGE-SECRET-KEY-/i.test(word));
  if (key !== -1) {
    throw new NestctlError(`Word ${key + 1} of the command line holds a secret key.`, {
      kind: 'usage',
      code: 'secret_key_given',
      hint: 'All of this machine could read it: make a new one. What is encrypted goes to a public key (age1…), and what opens it stays in a file that --identity names.',
      next: 'nestctl export --help',
    });
  }
  if (!argv.some((word) => word.startsWith('--passphrase='))) return;
  throw new NestctlError(
    '--passphrase takes no value: it is asked for, or printed by --passphrase-command.',
    {
      kind: 'usage',
      code: 'passphrase_given',
      hint: 'All of this machine could read what was given: take another one.',
      next: 'nestctl export --help',
    },
  );
}

function exitsCleanly(error: unknown): boolean {
  return error instanceof Error && 'oclif' in error && (error.oclif as { exit?: number }).exit === 0;
}
