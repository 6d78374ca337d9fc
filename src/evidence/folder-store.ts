import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, syncFolder } from '../platform/private-folder.js';
import { NAME } from './record.js';
import type { RecordStore } from './record-store.js';

/** Left by a writer that was killed; it never became a record. */
const DRAFT = /^\.draft-[0-9a-f]{16}$/;

/** Records as files, `CHAIN/000001.json`; nothing is ever replaced or removed. */
export function folderStore(folder: string): RecordStore {
  const pathOf = (chain: string, name: number | string) =>
    join(folder, chain, typeof name === 'number' ? recordFile(name) : name);
  return {
    async chains() {
      const entries = await readdir(folder, { withFileTypes: true }).catch(absent([]));
      return entries
        .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
        .map(({ name }) => name)
        .sort();
    },
    async list(chain) {
      const names = (await readdir(join(folder, chain)).catch(absent([]))).filter(
        (name) => !DRAFT.test(name),
      );
      return {
        numbers: names.flatMap((name) => recordNumber(name) ?? []).sort((a, b) => a - b),
        others: names.filter((name) => recordNumber(name) === undefined).sort(),
      };
    },
    async read(chain, name) {
      return await readFile(pathOf(chain, name)).catch(absent(undefined));
    },
    async add(chain, number, bytes) {
      await makePrivateFolder(folder);
      await makePrivateFolder(join(folder, chain));
      const draft = pathOf(chain, `.draft-${randomBytes(8).toString('hex')}`);
      try {
        const file = await open(draft, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        // The system lets only one writer take a name, and shows nobody half a file.
        await link(draft, pathOf(chain, number));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      } finally {
        await rm(draft, { force: true });
      }
      await syncFolder(join(folder, chain));
      return true;
    },
  };
}

/** What the record of that number is called. */
export function recordFile(number: number): string {
  return `${String(number).padStart(6, '0')}.json`;
}

/** The number in the name of a record; undefined where it is none's. */
export function recordNumber(name: string): number | undefined {
  const number = Number(/^(\d{6,15})\.json$/.exec(name)?.[1] ?? 0);
  return number > 0 && name === recordFile(number) ? number : undefined;
}

function absent<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return instead;
    throw error;
  };
}
