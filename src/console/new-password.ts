import { passwordFromCommand } from '../platform/config/password-sources.js';
import { NestctlError } from '../platform/errors.js';
import { askSecret, canAsk } from './terminal.js';

interface SecretSource {
  readonly what: 'password' | 'passphrase';
  readonly command: readonly string[] | undefined;
  readonly json: boolean;
  /** Where there is no terminal: that it is needed, and what else can be done. */
  readonly missing: string;
  readonly hint: string;
  readonly question: string;
  /** Asked for again: what nobody can see is easily mistyped. */
  readonly twice: boolean;
}

export interface PasswordSource {
  /** Whose password. */
  readonly login: string;
  readonly command: readonly string[] | undefined;
  readonly json: boolean;
  /** What else can be done where there is no terminal. */
  readonly hint: string;
}

/** A new password, printed by a program or typed twice at the terminal; never a flag or an argument. Else `needs_input`. */
export async function newPassword({ login, command, json, hint }: PasswordSource): Promise<string> {
  return await readSecret({
    ...{ what: 'password', command, json, hint, twice: true },
    missing: `The login ${login} needs a password, and there is no terminal to ask at.`,
    question: `New password of ${login}:`,
  });
}

/** A passphrase that a file is encrypted with, in the same ways: a new one is typed twice. */
export async function readPassphrase(
  source: Pick<SecretSource, 'command' | 'json'> & { readonly isNew: boolean },
): Promise<string> {
  return await readSecret({
    ...{ what: 'passphrase', command: source.command, json: source.json, twice: source.isNew },
    missing: 'The file takes a passphrase, and there is no terminal to ask at.',
    hint: 'Replace --passphrase with --passphrase-command PROGRAM.',
    question: source.isNew ? 'Passphrase that the person will open it with:' : 'Its passphrase:',
  });
}

async function readSecret(source: SecretSource): Promise<string> {
  const { what, command, json, missing, hint, question, twice } = source;
  if (command !== undefined) return await passwordFromCommand(command, what);
  if (json || !canAsk()) {
    throw new NestctlError(missing, { kind: 'needs_input', code: `${what}_missing`, hint });
  }
  const secret = await askSecret(question);
  if (!twice || secret === (await askSecret('Once more:'))) return secret;
  throw new NestctlError(`These were two different ${what}s. Nothing was changed.`, {
    kind: 'needs_input',
    code: 'declined',
  });
}
