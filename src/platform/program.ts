import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Variables with secrets of our own: whoever may look at a program's environment must not find them there too. */
const ours = new Set(['PGPASSWORD', 'SUPABASE_ACCESS_TOKEN']);

/** Keeps a variable that a context takes a password from out of the environment of programs. */
export function keepFromPrograms(variable: string | undefined): void {
  if (variable !== undefined) ours.add(variable);
}

/** Our environment without our secrets. */
export function environmentForPrograms(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.has(name)));
}

/** What a program that an operator named prints. Run without a shell, 60 s at most; fails as execFile does. */
export async function printedBy([program = '', ...args]: readonly string[]): Promise<string> {
  const env = environmentForPrograms();
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000, encoding: 'utf8', env });
  return stdout;
}
