import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import type { ServerUser } from './run-as.js';

/**
 * Replaces a file that the server's user is to own, readable by that user only. The folder may be that user's
 * too: a file made new, under a name nobody can guess, cannot be a link through which root would write to or
 * give away another file.
 */
export async function writeFor(user: ServerUser, path: string, content: string): Promise<void> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    if (user.dropped) await file.chown(user.uid, user.gid);
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
