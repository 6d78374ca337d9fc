import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { NestctlError } from '../platform/errors.js';

/** Writes a proof to a new file; returns its path. Throws `file_exists`. */
export async function writeProof(path: string, proof: string): Promise<string> {
  const whole = resolve(path);
  await writeFile(whole, proof, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? fileExists(whole, '--file') : error;
  });
  return whole;
}

export function fileExists(path: string, flag: string): NestctlError {
  return new NestctlError(`${path} is there already.`, {
    kind: 'conflict',
    code: 'file_exists',
    hint: `Name another with ${flag}.`,
  });
}
