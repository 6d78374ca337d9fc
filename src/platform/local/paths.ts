import { execFile } from 'node:child_process';
import { chmod, lchown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataFolder } from '../data-folder.js';
import { NestctlError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { type ServerUser, spawnAs } from './run-as.js';

/** Where one embedded cluster and what belongs to it live. */
export interface LocalPaths {
  /** Holds everything below; removing it removes the cluster. */
  readonly cluster: string;
  readonly data: string;
  /** Archived WAL. */
  readonly wal: string;
  readonly log: string;
  /** What the server says before its own log begins; the caller's, like the folder it lies in. */
  readonly startLog: string;
  /** The passwords of all logins, in libpq's pgpass format, readable by the caller only. */
  readonly passfile: string;
  readonly lock: string;
  /** Copies of the programs, where the package itself cannot be used. */
  readonly binaries: string;
}

/** Below the caller's own data folder. */
export function localPaths(env: NodeJS.ProcessEnv = process.env): LocalPaths {
  const root = dataFolder(env);
  const cluster = join(root, 'local');
  return {
    cluster,
    data: join(cluster, 'data'),
    wal: join(cluster, 'wal'),
    log: join(cluster, 'log'),
    startLog: join(cluster, 'start.log'),
    passfile: join(cluster, 'pgpass'),
    lock: join(root, 'lock'),
    binaries: join(root, 'binaries'),
  };
}

/**
 * Makes the folders. The server's user owns data, WAL and log; the caller owns the rest.
 * Throws `conflict` where they cannot be made, where the server's user cannot come to them, or where root
 * cannot take on that user.
 */
export async function makeFolders(paths: LocalPaths, user: ServerUser): Promise<void> {
  if (user.dropped) await tryToEnter('/', user);
  const open = user.dropped ? 0o755 : 0o700;
  try {
    for (const folder of [join(paths.cluster, '..'), paths.cluster, paths.lock, paths.binaries]) {
      // mkdir's own mode would be narrowed by the umask.
      if (await makeFolder(folder)) await chmod(folder, open);
    }
    for (const folder of [paths.wal, paths.log]) {
      await makeFolder(folder, 0o700);
      await handOver(folder, user);
    }
  } catch (cause) {
    throw new NestctlError(`The folder ${paths.cluster} cannot be made: ${(cause as Error).message}.`, {
      kind: 'conflict',
      code: 'no_data_folder',
      hint: 'Set NESTCTL_HOME to a folder of yours that can be written to.',
      cause,
    });
  }
  if (user.dropped) await tryToEnter(paths.cluster, user);
}

/** Throws where the server's user cannot be taken on, or cannot enter the folder. */
async function tryToEnter(folder: string, user: ServerUser): Promise<void> {
  try {
    await promisify(execFile)('/bin/sh', ['-c', 'cd "$0"', folder], spawnAs(user, '/'));
  } catch (cause) {
    // A name where the system refused to start the shell at all, else the shell's exit code.
    if (typeof (cause as { code?: unknown }).code === 'string') {
      throw new NestctlError(`Root may not start a program as user ${user.name} here.`, {
        kind: 'conflict',
        code: 'no_server_user',
        hint: 'PostgreSQL refuses to run as root, and this namespace maps no other user: run nestctl as an ordinary one.',
        cause,
      });
    }
    throw new NestctlError(`PostgreSQL runs as user ${user.name}, who cannot enter ${folder}.`, {
      kind: 'conflict',
      code: 'data_folder_closed',
      hint: 'Set NESTCTL_HOME to a folder whose parents are open to others (mode 755).',
      cause,
    });
  }
}

/** Gives a file or folder to the server's user, where that is not the caller. */
export async function handOver(path: string, user: ServerUser): Promise<void> {
  if (user.dropped) await lchown(path, user.uid, user.gid);
}
