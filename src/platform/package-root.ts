import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let cached: string | undefined;

/**
 * The folder of nestctl's own package.json: the nearest one upward from this file, so that the sources,
 * the compiled tree and a global install all find the same `sql/`.
 */
export function packageRoot(): string {
  if (cached !== undefined) return cached;
  const start = dirname(fileURLToPath(import.meta.url));
  let folder = start;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${start}`);
    folder = parent;
  }
  cached = folder;
  return folder;
}

/** A path below `sql/` of the package: `sqlPath('migrations', '0001_roles', 'up.sql')`. */
export function sqlPath(...parts: string[]): string {
  return join(packageRoot(), 'sql', ...parts);
}
