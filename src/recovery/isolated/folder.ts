import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from '../../platform/data-folder.js';
import type { RecoveryTarget } from '../target.js';

export type RestoreStage = 'copying' | 'replaying' | 'open';

/** A restored cluster, beside everything live. Kept in a file: it outlives the console that made it. */
export interface Restore {
  /** `20261201-114500`. */
  readonly id: string;
  readonly context: string;
  /** Of the context. */
  readonly database: string;
  readonly backup: string;
  readonly target: RecoveryTarget;
  readonly by: string;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly begun_at: string;
  readonly stage: RestoreStage;
  /** The console that works on it, by id and start, until it is open. */
  readonly console: { readonly pid: number; readonly start: string };
  /** Folder of its one socket, which only the user of its server can enter; it listens on no network. */
  readonly socket: string | null;
  readonly data: string;
  readonly log: string;
  /** Seconds that each stage took. */
  readonly took: Readonly<Record<string, number>>;
  /** Where it stands since: known once it is open. */
  readonly recovered: Recovered | null;
}

export interface Recovered {
  readonly lsn: string;
  readonly timeline: number;
  /** Of the last transaction that was replayed; null where there was none after the backup. */
  readonly last_commit_at: string | null;
}

const NOTE = 'restore.json';

export const restoresFolder = () => join(dataFolder(), 'restores');
export const folderOf = (id: string) => join(restoresFolder(), id);

/** Replaces what is known of a restore, in one step. */
export async function writeRestore(restore: Restore): Promise<void> {
  const path = join(folderOf(restore.id), NOTE);
  await writeFile(`${path}.new`, `${JSON.stringify(restore, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function readRestore(id: string): Promise<Restore | undefined> {
  const text = await readFile(join(folderOf(id), NOTE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Restore);
}

/** Ids of all, newest first. */
export async function restoreIds(): Promise<string[]> {
  const names = await readdir(restoresFolder()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.sort().reverse();
}
