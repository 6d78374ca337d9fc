import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NestctlError } from '../errors.js';
import type { Binaries } from './binaries.js';
import { handOver, type LocalPaths } from './paths.js';
import { type ServerUser, spawnAs } from './run-as.js';
import { renderSettings, type Settings } from './settings.js';
import { writeFor } from './write-for.js';

/** Included last by postgresql.conf, and written anew at every start. */
const OWN_SETTINGS = 'nestctl.conf';

const HBA = `# Loopback only, and nobody without a password.
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`;

/** `absent`: nothing there. `half-made`: left by an interrupted run. `foreign`: whole, but not made by nestctl. */
export type ClusterState = 'absent' | 'half-made' | 'foreign' | 'complete';

/**
 * What the data folder is. A cluster is made elsewhere and renamed into place when all is done, so the
 * folder is normally absent or complete; the rest comes from hands or from disks.
 */
export async function clusterState(data: string): Promise<ClusterState> {
  const entries = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (entries === undefined) return 'absent';
  const control = await stat(join(data, 'global', 'pg_control')).catch(() => undefined);
  if (!entries.includes('PG_VERSION') || control === undefined || control.size === 0) return 'half-made';
  return entries.includes(OWN_SETTINGS) ? 'complete' : 'foreign';
}

/** The major version that made the cluster. */
export async function clusterMajor(data: string): Promise<number> {
  return Number.parseInt(await readFile(join(data, 'PG_VERSION'), 'utf8'), 10);
}

/** The port in the cluster's settings, undefined before the first start. */
export async function configuredPort(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, OWN_SETTINGS), 'utf8').catch(() => '');
  const port = /^port = (\d+)$/m.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Replaces the settings that the next start reads. */
export async function writeSettings(data: string, settings: Settings, user: ServerUser): Promise<void> {
  const header = '# Written by nestctl at every start. Use ALTER SYSTEM for your own.\n';
  await writeFor(user, join(data, OWN_SETTINGS), header + renderSettings(settings));
}

export interface MakeClusterOptions {
  readonly paths: LocalPaths;
  readonly user: ServerUser;
  readonly binaries: Binaries;
  readonly settings: Settings;
  /** Of the superuser `postgres`. */
  readonly password: string;
  /** False leaves out the flush to disk at the end. */
  readonly durable?: boolean;
}

/**
 * Makes the cluster: ICU's root order (accents sort with their letters, the same on every system), checksums,
 * passwords for everybody. Call it with the lock held.
 */
export async function makeCluster(options: MakeClusterOptions): Promise<void> {
  const { paths, user, binaries } = options;
  const making = join(paths.cluster, `making-${randomBytes(4).toString('hex')}`);
  await removeHalfMade(paths);
  const pwfile = join(making, 'password');
  await mkdir(making, { mode: 0o700 });
  await writeFor(user, pwfile, options.password);
  await handOver(making, user);

  const data = join(making, 'data');
  const args = ['--pgdata', data, '--username', 'postgres', '--pwfile', pwfile, '--auth', 'scram-sha-256'];
  args.push('--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'icu', '--icu-locale', 'und');
  args.push('--data-checksums', '--no-instructions', ...(options.durable === false ? ['--no-sync'] : []));
  await initdb(binaries.initdb, args, user, making);

  await writeFor(user, join(data, 'pg_hba.conf'), HBA);
  const configuration = join(data, 'postgresql.conf');
  const defaults = await readFile(configuration, 'utf8');
  await writeFor(user, configuration, `${defaults}\ninclude '${OWN_SETTINGS}'\n`);
  await writeSettings(data, options.settings, user);
  await rename(data, paths.data);
  await rm(making, { recursive: true, force: true });
}

/**
 * Removes what interrupted runs have left. A folder that looks whole but is not ours is moved aside, never
 * deleted. Returns where it went. Call it with the lock held.
 */
export async function removeHalfMade(paths: LocalPaths): Promise<{ removed: boolean; setAside?: string }> {
  const leftovers = (await readdir(paths.cluster)).filter((name) => name.startsWith('making-'));
  for (const name of leftovers) {
    // An initdb that outlived its console may still be writing here: without the folder it gives up.
    const doomed = join(paths.cluster, name.replace('making-', 'making-gone-'));
    await rename(join(paths.cluster, name), doomed);
    await rm(doomed, { recursive: true, force: true, maxRetries: 10 });
  }
  const state = await clusterState(paths.data);
  if (state === 'half-made') await rm(paths.data, { recursive: true, force: true, maxRetries: 10 });
  if (state !== 'foreign') return { removed: leftovers.length > 0 || state === 'half-made' };
  const setAside = `${paths.data}.set-aside-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await rename(paths.data, setAside);
  return { removed: true, setAside };
}

function initdb(program: string, args: string[], user: ServerUser, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...spawnAs(user, dirname(cwd)),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve();
      reject(
        new NestctlError(
          `initdb could not make the database: ${complaint.trim().split('\n').at(-1) || signal}.`,
          {
            kind: 'failure',
            code: 'initdb_failed',
            hint: complaint.trim() || undefined,
          },
        ),
      );
    });
  });
}
