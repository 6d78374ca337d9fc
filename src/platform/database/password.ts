import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NestctlError } from '../errors.js';
import { passwordFromFile } from './passfile.js';
import { type ConnectionTarget, describeTarget } from './target.js';

/**
 * The password for a target, in libpq's order: its own, its passfile, PGPASSWORD, then PGPASSFILE or
 * `~/.pgpass`. Asked for only when the server wants one. Throws `password_missing`.
 */
export async function passwordFor(target: ConnectionTarget): Promise<string> {
  if (typeof target.password === 'string') return target.password;
  if (target.password !== undefined) return await target.password();
  const found =
    target.passfile !== undefined
      ? await passwordFromFile(target.passfile, target)
      : (process.env.PGPASSWORD ?? (await passwordFromDefaultFile(target)));
  if (found !== undefined) return found;
  throw new NestctlError(`${describeTarget(target)} wants a password and none was found.`, {
    kind: 'not_allowed',
    code: 'password_missing',
    hint:
      target.passfile !== undefined
        ? `${target.passfile} has no line for it.`
        : 'Give one in PGPASSWORD, in ~/.pgpass, or by passfile or password_command in the context.',
  });
}

async function passwordFromDefaultFile(target: ConnectionTarget): Promise<string | undefined> {
  const path = process.env.PGPASSFILE ?? join(homedir(), '.pgpass');
  return existsSync(path) ? await passwordFromFile(path, target) : undefined;
}
