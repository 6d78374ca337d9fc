import { spawn } from 'node:child_process';
import { open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../errors.js';
import type { Binaries } from './binaries.js';
import { awaitLogin } from './login.js';
import type { LocalPaths } from './paths.js';
import { identify } from './process-identity.js';
import { type ServerUser, spawnAs } from './run-as.js';
import { StartFailure } from './start-failure.js';

/** The running postmaster of a data folder. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/**
 * The server of this data folder, undefined where none runs. A crash leaves postmaster.pid behind, and the id
 * in it may be another process by now: only a postgres started on this very folder counts.
 */
export async function runningServer(data: string): Promise<RunningServer | undefined> {
  const { pid, port } = await pidFile(data);
  const command = (await identify(pid))?.command ?? '';
  const program = basename(command.split(' ')[0] ?? '');
  const folder = await realpath(data).catch(() => data);
  if (program !== 'postgres' || !`${command} `.includes(` ${folder} `)) return undefined;
  return { pid, port };
}

async function pidFile(data: string): Promise<{ pid: number; port: number }> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return { pid: Number(lines[0]), port: Number(lines[3]) };
}

export interface StartOptions {
  readonly paths: LocalPaths;
  readonly user: ServerUser;
  readonly binaries: Binaries;
  readonly port: number;
  /** Of the superuser `postgres`; the server counts as started once it lets that login in. */
  readonly password: string;
  /** Called once, when the server answers but is still replaying WAL after a crash. */
  readonly onRecovery?: (() => void) | undefined;
}

/**
 * Starts the server so that it outlives this process, and waits until it lets the superuser in. The lock is
 * held by the caller. Throws StartFailure with what its log says.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { paths, user, binaries } = options;
  const data = await realpath(paths.data);
  await removeMisleadingPidFile(data);
  const before = await logSizes(paths.log);
  const output = await open(paths.startLog, 'w', 0o600);
  let ended: string | undefined;
  try {
    const child = spawn(binaries.postgres, ['-D', data], {
      ...spawnAs(user, data),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, signal) => {
      ended = `it ended with ${signal ?? `code ${code}`}`;
    });
    child.unref();
  } finally {
    await output.close();
  }

  const failure = async () =>
    ended === undefined ? undefined : StartFailure.fromLog(await logSince(paths, before), ended, paths.log);
  await awaitLogin({ ...options, failure, logFolder: paths.log });
  const running = await runningServer(data);
  if (running?.port === options.port) return running;
  throw new StartFailure('port_taken', `another server answers on port ${options.port}`, paths.log);
}

/**
 * Waits until a server that was found running lets the superuser in: whoever started it may have been
 * interrupted. Throws StartFailure.
 */
export async function joinServer(
  server: RunningServer,
  options: Pick<StartOptions, 'paths' | 'password' | 'onRecovery'>,
): Promise<RunningServer> {
  const { data, log } = options.paths;
  const failure = async () =>
    (await runningServer(data)) === undefined
      ? new StartFailure('ended', 'it ended meanwhile', log)
      : undefined;
  await awaitLogin({ ...options, port: server.port, failure, logFolder: log });
  return server;
}

/**
 * PostgreSQL refuses to start while postmaster.pid names any living process of its user. Removing the file is
 * safe even if children of a killed server live on: the shared memory key comes from the data folder itself,
 * and PostgreSQL refuses while anybody is attached.
 */
async function removeMisleadingPidFile(data: string): Promise<void> {
  const { pid } = await pidFile(data);
  if ((await identify(pid)) === undefined || (await runningServer(data)) !== undefined) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

export interface StopOptions {
  /** Without waiting for a checkpoint; the next start replays WAL. */
  readonly immediate?: boolean;
  /** For tests that cannot wait. */
  readonly timeoutMs?: number;
}

/** Stops the server of this data folder and waits until it is gone. Returns false where none runs. */
export async function stopServer(data: string, options: StopOptions = {}): Promise<boolean> {
  const server = await runningServer(data);
  if (server === undefined) return false;
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  process.kill(server.pid, options.immediate ? 'SIGQUIT' : 'SIGINT');
  while (await isStill(server.pid, data)) {
    if (Date.now() > deadline) {
      throw new NestctlError(`The local PostgreSQL (process ${server.pid}) is still stopping.`, {
        kind: 'failure',
        code: 'still_stopping',
        hint: 'It may be waiting for WAL to be archived. Stopping it at once loses nothing: the next start replays WAL.',
        next: 'nestctl local down --immediate',
      });
    }
    await sleep(20);
  }
  return true;
}

/** The pid file goes before the process does. */
async function isStill(pid: number, data: string): Promise<boolean> {
  const folder = await realpath(data).catch(() => data);
  return (await identify(pid))?.command.includes(folder) ?? false;
}

async function logSizes(folder: string): Promise<Map<string, number>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size] as const)),
  );
}

/** What the server has written since, to either of the places it writes to while it starts. */
async function logSince(paths: LocalPaths, before: Map<string, number>): Promise<string> {
  let text = await readFile(paths.startLog, 'utf8');
  for (const name of await readdir(paths.log)) {
    const content = await readFile(join(paths.log, name));
    text += content.subarray(before.get(name) ?? 0).toString('utf8');
  }
  return text;
}
