import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it; true where it was made now. Unlike Node's own recursive mkdir it ends where the
 * file system makes no folders at all, as below /proc.
 */
export async function makeFolder(path: string, mode?: number, tries = 3): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || tries === 0) throw error;
    // It may have come meanwhile, made by somebody else.
    if (await isThere(above)) return await makeFolder(path, mode, tries - 1);
    await makeFolder(above, mode);
    return await makeFolder(path, mode, tries - 1);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
