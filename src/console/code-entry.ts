import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { NestctlError } from '../platform/errors.js';
import { askSecret, canAsk } from './terminal.js';

export interface CodeFlags {
  readonly method: string;
  readonly failed: boolean;
  /** `-` is stdin. */
  readonly file: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/**
 * How the code that was sent by e-mail is read: from a file, from stdin or at the terminal; never from the command line,
 * which the shell and the list of processes would keep. Undefined where none is needed. Throws `usage`, and `code_missing`
 * where there is nobody to ask.
 */
export function codeEntry({
  method,
  failed,
  file,
  dryRun,
  json,
}: CodeFlags): (() => Promise<string>) | undefined {
  if (method !== 'email_code') {
    if (file !== undefined) throw usage('--code-file goes with --method email_code.');
    return undefined;
  }
  if (failed) throw usage('A code is entered, and found right or wrong: --failed does not go with it.');
  if (dryRun) return undefined;
  if (file !== undefined)
    return async () => firstLine(file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8'));
  if (!json && canAsk()) return async () => await askSecret('The code that they give:');
  throw new NestctlError('This needs the code that was sent, and there is no terminal to ask at.', {
    kind: 'needs_input',
    code: 'code_missing',
    hint: 'Add --code-file FILE, or --code-file - to give it by stdin.',
  });
}

const firstLine = (text: string): string => text.trim().split(/\r?\n/, 1)[0] ?? '';

function usage(message: string): NestctlError {
  return new NestctlError(message, {
    kind: 'usage',
    code: 'usage',
    next: 'nestctl request verify-identity --help',
  });
}
