import { chmod, readFile } from 'node:fs/promises';
import { NestctlError } from '../../platform/errors.js';
import { type KeySet, parseKeySet, publicPart } from '../../platform/signing/key-set.js';
import { replacePrivateFile } from '../../platform/signing/private-file.js';
import type { Evidence } from '../open-evidence.js';
import { verifyingKeys } from './imported-keys.js';
import { loadKeySet } from './key-set-file.js';

/**
 * What the world may know of the keys; written to a file where one is named. With `imported` the keys of others that
 * are trusted here go with them: all that a verifier of chains needs that several people write.
 */
export async function publishKeys(
  { places }: Evidence,
  path?: string,
  { imported = false } = {},
): Promise<KeySet> {
  const { keys } = imported ? await verifyingKeys(places) : await loadKeySet(places);
  const published: KeySet = { keys: keys.map(publicPart) };
  if (path !== undefined) {
    await replacePrivateFile(path, `${JSON.stringify(published, null, 2)}\n`);
    await chmod(path, 0o644);
  }
  return published;
}

/** Reads a published key set. Throws `key_set_invalid`, and `not_found` where there is no such file. */
export async function readKeySet(path: string): Promise<KeySet> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new NestctlError(`${path} does not exist.`, { kind: 'not_found', code: 'no_key_set' });
  });
  return parseKeySet(text, path);
}
