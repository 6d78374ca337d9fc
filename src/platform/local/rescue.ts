import { spawn } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { NestctlError } from '../errors.js';
import type { Binaries } from './binaries.js';
import { SUPERUSER } from './identities.js';
import type { LocalPaths } from './paths.js';
import { type ServerUser, spawnAs } from './run-as.js';
import { scramVerifier } from './scram.js';

export interface RescueOptions {
  readonly paths: LocalPaths;
  readonly user: ServerUser;
  readonly binaries: Binaries;
  readonly password: string;
}

/**
 * Gives the superuser of a stopped cluster a new password, where the kept one was lost: in single-user mode,
 * which asks for none. Who may do that owns the data files anyway.
 */
export async function rescuePassword({ paths, user, binaries, password }: RescueOptions): Promise<void> {
  const data = await realpath(paths.data);
  const statement = `alter role ${SUPERUSER} password '${scramVerifier(password)}'\n`;
  const complaint = await new Promise<string | undefined>((resolve, reject) => {
    const child = spawn(
      binaries.postgres,
      ['--single', '-D', data, '-c', 'logging_collector=off', 'postgres'],
      {
        ...spawnAs(user, data),
        stdio: ['pipe', 'ignore', 'pipe'],
      },
    );
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      // In this mode a failed statement is reported and the exit code stays 0.
      resolve(code === 0 && !/(ERROR|FATAL|PANIC): /.test(said) ? undefined : said.trim());
    });
    child.stdin.on('error', () => {});
    child.stdin.end(statement);
  });
  if (complaint === undefined) return;
  throw new NestctlError('The password of the local database was lost and could not be set anew.', {
    kind: 'failure',
    code: 'rescue_failed',
    hint: complaint,
    next: 'nestctl local reset',
  });
}
