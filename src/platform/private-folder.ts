import { constants } from 'node:fs';
import { chmod, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from './make-folder.js';

/** Makes a folder for the caller alone, with those above it; one that is there stays as it is. */
export async function makePrivateFolder(folder: string): Promise<void> {
  const above = dirname(folder);
  if (above !== folder && (await lstat(folder).catch(() => undefined)) === undefined) {
    await makeFolder(above);
    if (await makeFolder(folder, 0o700)) await chmod(folder, 0o700);
  }
}

/** Makes names that were added to or taken from a folder outlive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
