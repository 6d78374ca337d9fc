import { stripVTControlCharacters } from 'node:util';
import { NestctlError } from '../platform/errors.js';
import { commandLine } from './command-line.js';
import type { FlagError } from './flags/flag-error.js';
import { nearest } from './suggest.js';

/** What oclif throws where the command line does not fit, as far as it is used. */
interface ParseError extends Error {
  readonly parse?: {
    readonly input?: {
      readonly argv?: readonly string[];
      readonly flags?: Readonly<Record<string, unknown>>;
      readonly context?: { readonly id?: string };
    };
  };
  readonly flags?: readonly string[];
}

/** An error of oclif as a usage error of ours, or undefined where it is none of oclif's. */
export function usageError(error: unknown): NestctlError | undefined {
  if (!(error instanceof Error)) return undefined;
  const exit = 'oclif' in error ? (error.oclif as { exit?: number }).exit : undefined;
  if (exit !== 2 && !error.message.startsWith('Parsing --')) return undefined;
  const { message, hint, code } = describe(error as ParseError);
  const id = (error as ParseError).parse?.input?.context?.id;
  return new NestctlError(message, {
    kind: 'usage',
    code,
    hint,
    next: id === undefined ? undefined : commandLine([...id.split(':'), '--help']),
  });
}

/** What did not fit the command, with its help as the way on where it names none. */
export function withHelp(error: unknown, help: string): unknown {
  const usage = error instanceof NestctlError ? error : usageError(error);
  if (usage?.kind !== 'usage' || usage.next !== undefined) return error;
  const { message, kind, code, hint } = usage;
  return new NestctlError(message, { kind, code, hint, next: help });
}

/** A flag of lists without its value: what may stand there. Undefined for any other error. */
export function bareFlag(error: unknown, flags: Readonly<Record<string, object>>): NestctlError | undefined {
  const [, name = ''] = /^Flag --(\S+) expects a value/.exec((error as Error).message) ?? [];
  const flag = flags[name] as { readonly choices?: string } | undefined;
  if (flag?.choices === undefined) return undefined;
  return new NestctlError(`--${name} expects a value.`, {
    kind: 'usage',
    code: 'missing_value',
    hint: flag.choices,
  });
}

function describe(error: ParseError): { message: string; hint?: string | undefined; code: string } {
  switch (error.constructor.name) {
    case 'NonExistentFlagsError': {
      const unknown = error.flags ?? [];
      const known = Object.keys(error.parse?.input?.flags ?? {}).map((name) => `--${name}`);
      const meant = nearest(unknown[0] ?? '', known);
      return {
        message: `Unknown ${unknown.length > 1 ? 'flags' : 'flag'} ${unknown.join(', ')}.`,
        hint: meant === undefined ? undefined : `Did you mean ${meant}?`,
        code: 'unknown_flag',
      };
    }
    case 'FlagInvalidOptionError':
    case 'ArgInvalidOptionError':
      return { message: sentence(error.message), hint: meantOption(error.message), code: 'usage' };
    case 'FlagError': {
      const { code, hint } = error as unknown as FlagError;
      return { message: sentence(error.message), code, hint };
    }
    case 'UnexpectedArgsError':
      // Most likely the passphrase itself, which is not to be repeated.
      if (error.parse?.input?.argv?.includes('--passphrase') === true)
        return {
          message: 'Unexpected argument; --passphrase takes none: it is asked for.',
          hint: 'All of this machine could read what was given: take another passphrase.',
          code: 'usage',
        };
      return { message: sentence(error.message), code: 'usage' };
    default:
      return { message: sentence(error.message), code: 'usage' };
  }
}

/** The choice that was probably meant, from oclif's `Expected --format=tabl to be one of: table, json`. */
function meantOption(message: string): string | undefined {
  const line = stripVTControlCharacters(message).split('\n', 1)[0] ?? '';
  const [, typed = '', options = ''] = /^Expected (?:--[\w-]+=)?(.*) to be one of: (.*)$/.exec(line) ?? [];
  const meant = nearest(typed, options.split(', '));
  return meant === undefined ? undefined : `Did you mean ${meant}?`;
}

/** oclif's message without its layout: one line, no colour, no advert for --help. */
function sentence(message: string): string {
  const line = stripVTControlCharacters(message)
    .replace(/\nSee more help with --help/g, '')
    .replace(/^Parsing (--\S+) \n\t/, '$1: ')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/\s*\n\s*/g, '; ')
    .trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
