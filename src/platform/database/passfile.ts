import { readFile, stat } from 'node:fs/promises';
import { NestctlError } from '../errors.js';
import { type ConnectionTarget, isSocket } from './target.js';

/**
 * The password for a target in a pgpass file (`host:port:database:user:password`, `*` matches anything,
 * `\` escapes), or undefined where no line matches.
 *
 * node-postgres reads such a file only from PGPASSFILE, one for the whole process; a session and the owner
 * connection beside it may need two.
 */
export async function passwordFromFile(path: string, target: ConnectionTarget): Promise<string | undefined> {
  await refuseIfShared(path);
  const wanted = [
    isSocket(target.host) ? 'localhost' : target.host,
    String(target.port),
    target.database,
    target.user,
  ];
  for (const line of (await readFile(path, 'utf8')).split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line);
    const password = fields[4];
    if (password !== undefined && wanted.every((value, at) => fields[at] === '*' || fields[at] === value)) {
      return password;
    }
  }
  return undefined;
}

async function refuseIfShared(path: string): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) {
    throw new NestctlError(`The password file ${path} cannot be read.`, {
      kind: 'failure',
      code: 'passfile_missing',
    });
  }
  if ((file.mode & 0o077) !== 0) {
    throw new NestctlError(`The password file ${path} can be read by other users of this machine.`, {
      kind: 'not_allowed',
      code: 'passfile_open',
      hint: 'Close it, and consider its passwords known to others.',
      next: `chmod 600 ${path}`,
    });
  }
}

function splitLine(line: string): string[] {
  const fields: string[] = [];
  let field = '';
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === '\\' && at + 1 < line.length) field += line.charAt(++at);
    else if (char === ':' && fields.length < 4) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  return [...fields, field];
}
