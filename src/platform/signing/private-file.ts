import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NestctlError } from '../errors.js';
import { makePrivateFolder, syncFolder } from '../private-folder.js';

/**
 * Reads a file of secrets; undefined where there is none. Throws `key_open` where anybody but its owner, who
 * must be the caller or root, could have read or written it.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    // Of the file that is open, not of whatever has that name by now.
    const { mode, uid } = await file.stat();
    const ours = uid === process.getuid?.() || uid === 0;
    if (!ours || (mode & 0o077) !== 0) {
      throw new NestctlError(
        `${path} ${ours ? 'is open to other users' : 'belongs to another user'} of this machine.`,
        {
          kind: 'not_allowed',
          code: 'key_open',
          hint: 'Whoever could read the key can sign with it: if anybody did, retire it.',
          next: ours ? `chmod 600 ${path}` : undefined,
        },
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Makes a file readable by the caller only, whole or not at all. Throws `key_exists` where there is one. */
export async function createPrivateFile(path: string, content: string): Promise<void> {
  await makePrivateFolder(dirname(path));
  const draft = await writeDraft(path, content);
  try {
    // Unlike a rename, a link never replaces.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw keyExists(path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(path));
}

/** The error for a key that would be overwritten. */
export function keyExists(path: string): NestctlError {
  return new NestctlError(`${path} is there already.`, {
    kind: 'conflict',
    code: 'key_exists',
    hint: 'A key is never overwritten: what it signed or hashed would lose its proof.',
    next: "nestctl evidence key rotate --reason '…'",
  });
}

/** Replaces a file in one step, readable by the caller only. */
export async function replacePrivateFile(path: string, content: string): Promise<void> {
  await makePrivateFolder(dirname(path));
  await rename(await writeDraft(path, content), path);
  await syncFolder(dirname(path));
}

/** Removes what writers that were killed left beside a file: it can be a copy of it. Only while none is at work. */
export async function removeDrafts(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => []);
  const isDraft = (name: string) =>
    name.startsWith(`.${basename(path)}.`) && /^[0-9a-f]{16}$/.test(name.slice(basename(path).length + 2));
  for (const name of names.filter(isDraft)) await rm(join(dirname(path), name), { force: true });
}

async function writeDraft(path: string, content: string): Promise<string> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}
