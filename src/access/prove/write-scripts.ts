import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.js';
import type { Proof } from './prove-access.js';

/** Writes each counterexample into a file of its own, `01-children-select.sql`; returns their paths. */
export async function writeScripts(
  folder: string,
  { counterexamples }: Pick<Proof, 'counterexamples'>,
): Promise<string[]> {
  if (counterexamples.length === 0) return [];
  await makeFolder(folder);
  return await Promise.all(
    counterexamples.map(async ({ table, command, script }, at) => {
      const path = join(folder, `${String(at + 1).padStart(2, '0')}-${table}-${command}.sql`);
      await writeFile(path, script, { mode: 0o600 });
      return path;
    }),
  );
}
