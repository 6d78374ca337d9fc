import { NestctlError } from '../errors.js';
import { printedBy } from '../program.js';

/** The first line a command prints, such as `["pass", "show", "nestsync"]`. Run without a shell, 60 s at most. */
export async function passwordFromCommand(
  command: readonly string[],
  what: 'password' | 'passphrase' | 'key' = 'password',
): Promise<string> {
  try {
    return (await printedBy(command)).split(/\r?\n/)[0] ?? '';
  } catch {
    // Not the program's words: they may hold what it knows.
    throw new NestctlError(`The program that prints the ${what} failed: ${command[0]}.`, {
      kind: 'failure',
      code: `${what}_command_failed`,
      hint: 'Run it by hand to see why.',
    });
  }
}

/** The password in the variable that a context names. */
export function passwordFromEnvironment(name: string): string {
  const password = process.env[name];
  if (password) return password;
  throw new NestctlError(`The context takes its password from ${name}, which is not set.`, {
    kind: 'not_allowed',
    code: 'password_missing',
    hint: 'Set it for this command alone, not in a file that others can read.',
  });
}
