import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Passwords by login. */
export type Passwords = ReadonlyMap<string, string>;

/** A password of 192 bits that needs no escaping anywhere. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** The passwords in a pgpass file, none where there is no such file. */
export async function readPasswords(passfile: string): Promise<Map<string, string>> {
  const text = await readFile(passfile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const fields = text.split('\n').map((line) => line.split(':'));
  return new Map(fields.flatMap(([, , , user, password]) => (user && password ? [[user, password]] : [])));
}

/** Writes one line a login, for every database of the cluster. Replaces the file in one step. */
export async function writePasswords(passfile: string, port: number, passwords: Passwords): Promise<void> {
  const lines = [...passwords].map(([user, password]) => `127.0.0.1:${port}:*:${user}:${password}\n`);
  const draft = `${passfile}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, lines.join(''), { mode: 0o600 });
  await rename(draft, passfile);
}
