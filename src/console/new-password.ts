import { passwordFromCommand } from '../platform/config/password-sources.js';
import { NestctlError } from '../platform/errors.js';
import { askSecret, canAsk } from './terminal.js';

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
  if (command !== undefined) return await passwordFromCommand(command);
  if (json || !canAsk()) {
    throw new NestctlError(`The login ${login} needs a password, and there is no terminal to ask at.`, {
      kind: 'needs_input',
      code: 'password_missing',
      hint,
    });
  }
  const password = await askSecret(`New password of ${login}:`);
  if (password === (await askSecret('Once more:'))) return password;
  throw new NestctlError('These were two different passwords. Nothing was changed.', {
    kind: 'needs_input',
    code: 'declined',
  });
}
