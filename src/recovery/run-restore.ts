import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupEngine, Made } from '../backups/index.js';
import { dataFolder } from '../platform/data-folder.js';
import { NestctlError } from '../platform/errors.js';
import { handOver } from '../platform/local/paths.js';
import { identify } from '../platform/local/process-identity.js';
import { serverUser } from '../platform/local/run-as.js';
import { makeFolder } from '../platform/make-folder.js';
import { makePrivateFolder } from '../platform/private-folder.js';
import type { Advice } from './advise.js';
import { discardRestore } from './discard-restore.js';
import {
  folderOf,
  type Restore,
  readRestore,
  restoreIds,
  restoresFolder,
  writeRestore,
} from './isolated/folder.js';
import { findPostgres } from './isolated/programs.js';
import { startIsolated } from './isolated/start.js';

export interface RestoreOptions {
  readonly context: { readonly name: string; readonly database: string };
  readonly made: Made;
  readonly signal?: AbortSignal | undefined;
  readonly tell?: ((what: string) => void) | undefined;
}

/**
 * Restores a backup beside everything live and replays the log up to a target: an instance of its own that nobody can reach but
 * by its socket, and that reaches nobody. Where it fails, or is interrupted, nothing of it stays but what is told. Throws what the
 * engine does and what the server's log tells.
 */
export async function runRestore(
  engine: BackupEngine,
  advice: Advice,
  { context, made, signal, tell }: RestoreOptions,
): Promise<Restore> {
  const { target, backup } = advice;
  if (backup === null) throw new Error('a restore needs a backup to begin with');
  await removeInterrupted();
  const user = await serverUser();
  const postgres = await findPostgres(backup.version ?? '', user);
  const begun = new Date();
  const id = begun.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const folder = folderOf(id);
  const open = user.dropped ? 0o755 : 0o700;
  // mkdir's own mode would be narrowed by the umask.
  if (await makeFolder(restoresFolder())) await chmod(restoresFolder(), open);
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? another() : error;
  });
  await chmod(folder, open);
  const self = await identify(process.pid);
  const data = join(folder, 'data');
  await makePrivateFolder(join(dataFolder(), 'log'));
  let restore: Restore = {
    ...{
      id,
      context: context.name,
      database: context.database,
      backup: backup.id,
      target,
      ...made,
      begun_at: begun.toISOString(),
    },
    ...{ stage: 'copying', console: { pid: process.pid, start: self?.start ?? '' } },
    ...{
      socket: null,
      data,
      log: join(dataFolder(), 'log', `restore-${id}.log`),
      took: {},
      recovered: null,
    },
  };
  await writeRestore(restore);
  try {
    await mkdir(data, { mode: 0o700 });
    await handOver(data, user);
    let since = performance.now();
    const lap = (stage: string) => {
      const took = { ...restore.took, [stage]: Math.round(performance.now() - since) / 1000 };
      since = performance.now();
      return took;
    };
    const { restore_command } = await engine.restoreInto(backup, data, { signal, tell });
    restore = { ...restore, stage: 'replaying', took: lap('copy') };
    await writeRestore(restore);
    tell?.('replaying the log');
    const { log } = restore;
    let told = performance.now();
    const starting = {
      ...{ postgres, user, folder, data, log, restore_command, signal },
      onReplay: (lsn: string, at: Date | null) => {
        // A line every few seconds: somebody waits, nobody counts.
        if (performance.now() - told < 5_000) return;
        told = performance.now();
        tell?.(`replaying the log: at ${lsn}${at === null ? '' : `, ${at.toISOString()}`}`);
      },
    };
    const { socket, recovered } = await startIsolated({ ...starting, target }).catch((error: unknown) => {
      if (!isQuiet(error, advice)) throw error;
      return startIsolated({ ...starting, target: { kind: 'latest' } });
    });
    restore = { ...restore, stage: 'open', socket, recovered, took: lap('replay') };
    await writeRestore(restore);
    return restore;
  } catch (error) {
    await discardRestore(id, { log: true });
    throw error;
  }
}

/**
 * Nothing was committed between the moment asked for and the end of what was archived after it: the end is that moment's state, but
 * PostgreSQL stops only at a later commit.
 */
function isQuiet(error: unknown, { target, latest }: Advice): boolean {
  const unreached = error instanceof NestctlError && error.code === 'target_not_reached';
  return unreached && target.kind === 'time' && latest !== null && latest >= target.time;
}

/** What consoles have left that were killed in the midst of it. */
async function removeInterrupted(): Promise<void> {
  for (const id of await restoreIds()) {
    const restore = await readRestore(id);
    if (restore === undefined || restore.stage === 'open') continue;
    const alive = await identify(restore.console.pid);
    if (alive?.start !== restore.console.start) await discardRestore(id);
  }
}

const another = () =>
  new NestctlError('Another restore began in this very second.', {
    kind: 'conflict',
    code: 'busy',
    next: 'nestctl restore status',
  });
