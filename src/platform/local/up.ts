import { mkdir, readdir, rename } from 'node:fs/promises';
import { type Connection, withConnection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { type MigrationStep, migrate } from '../migrations/index.js';
import { type Binaries, readyBinaries } from './binaries.js';
import { makeDatabase, makeLogins, registerLocalIdentities } from './bootstrap.js';
import { clusterMajor, clusterState, makeCluster, removeHalfMade } from './cluster.js';
import { refuseTakenContexts, writeContexts } from './contexts.js';
import { DATABASE, LOGINS, OPERATORS, OWNER, SUPERUSER } from './identities.js';
import { type LaunchStage, launch } from './launch.js';
import { withLock } from './lock.js';
import { handOver, type LocalPaths, localPaths, makeFolders } from './paths.js';
import { newPassword, type Passwords, readPasswords, writePasswords } from './pgpass.js';
import { freePort } from './port.js';
import { type ServerUser, serverUser, type UserLookup } from './run-as.js';
import { joinServer, type RunningServer, runningServer, stopServer } from './server.js';
import { type Settings, serverSettings } from './settings.js';
import { StartFailure } from './start-failure.js';

/** What happens on the way, told as it happens. */
export type UpStage =
  | LaunchStage
  /** Another nestctl is at work on the same cluster. */
  | { readonly type: 'waiting'; readonly pid: number }
  /** An interrupted run had left a half-made cluster, which is removed. */
  | { readonly type: 'half-made' }
  /** Something that nestctl did not make was in the way, and lies there now. */
  | { readonly type: 'set-aside'; readonly path: string }
  | { readonly type: 'making' }
  | { readonly type: 'migrating'; readonly step: MigrationStep };

export interface UpOptions {
  readonly onStage?: ((stage: UpStage) => void) | undefined;
  /** The platform package with the programs; default the installed one. */
  readonly package?: string | undefined;
  /** Over the usual server settings. */
  readonly settings?: Settings | undefined;
  readonly lookup?: UserLookup | undefined;
}

export interface UpReport {
  /** False where it ran already. */
  readonly started: boolean;
  /** True where the cluster was made anew. */
  readonly made: boolean;
  readonly pid: number;
  readonly port: number;
  /** Of the running server, as in `17.10`. */
  readonly version: string;
  readonly data: string;
  /** The system user that the server runs as. */
  readonly user: string;
  readonly contexts: readonly string[];
  /** Migrations applied now. */
  readonly applied: readonly string[];
}

/**
 * Brings the embedded PostgreSQL to where it serves the migrated database, from whatever state it is in:
 * absent, half-made, stopped, crashed, or up already. It outlives the console. Two at once wait for each other.
 */
export async function up(options: UpOptions = {}): Promise<UpReport> {
  const user = await serverUser(options.lookup);
  await refuseTakenContexts();
  const paths = localPaths();
  await makeFolders(paths, user);
  return withLock(paths.lock, () => upLocked(paths, user, options), {
    onWait: (pid) => options.onStage?.({ type: 'waiting', pid }),
  });
}

/** The same with the lock held. */
export async function upLocked(paths: LocalPaths, user: ServerUser, options: UpOptions): Promise<UpReport> {
  const passwords = await readPasswords(paths.passfile);
  for (const name of [SUPERUSER, ...LOGINS.map((login) => login.name)]) {
    if (!passwords.has(name)) passwords.set(name, newPassword());
  }
  let server = await joinRunning(paths, passwords, options);
  const started = server === undefined;
  let made = false;
  if (server === undefined) {
    const binaries = await readyBinaries({ user, stageIn: paths.binaries, package: options.package });
    made = await ensureCluster(paths, user, binaries, passwords, options);
    server = await launch({ ...options, paths, user, binaries, passwords });
  }
  await writePasswords(paths.passfile, server.port, passwords);
  const { version, applied } = await bootstrap(server, passwords, options);
  await writeContexts(paths, server.port);
  return {
    started,
    made,
    pid: server.pid,
    port: server.port,
    version,
    data: paths.data,
    user: user.name,
    contexts: OPERATORS.map(({ context }) => context),
    applied,
  };
}

/** The server that runs already, or undefined where one must be started. */
async function joinRunning(
  paths: LocalPaths,
  passwords: Passwords,
  { onStage }: UpOptions,
): Promise<RunningServer | undefined> {
  const server = await runningServer(paths.data);
  if (server === undefined) return undefined;
  try {
    return await joinServer(server, {
      paths,
      password: passwords.get(SUPERUSER) ?? '',
      onRecovery: () => onStage?.({ type: 'recovering' }),
    });
  } catch (error) {
    if (!(error instanceof StartFailure) || !['ended', 'wrong_password'].includes(error.reason)) throw error;
    // Started again, it gets the lost password set anew.
    await stopServer(paths.data);
    return undefined;
  }
}

async function ensureCluster(
  paths: LocalPaths,
  user: ServerUser,
  binaries: Binaries,
  passwords: Passwords,
  { onStage, settings }: UpOptions,
): Promise<boolean> {
  const { removed, setAside } = await removeHalfMade(paths);
  if (setAside !== undefined) onStage?.({ type: 'set-aside', path: setAside });
  else if (removed) onStage?.({ type: 'half-made' });
  if ((await clusterState(paths.data)) === 'complete') {
    await refuseOtherMajor(paths.data, binaries);
    return false;
  }
  onStage?.({ type: 'making' });
  await setOldWalAside(paths, user, onStage);
  const port = await freePort();
  // Before the cluster: an interrupted run must not leave one whose password nobody knows.
  await writePasswords(paths.passfile, port, passwords);
  await makeCluster({
    paths,
    user,
    binaries,
    password: passwords.get(SUPERUSER) ?? '',
    settings: { ...serverSettings(port, paths.wal, paths.log), ...settings },
  });
  return true;
}

async function refuseOtherMajor(data: string, binaries: Binaries): Promise<void> {
  const major = await clusterMajor(data);
  if (major === binaries.major) return;
  throw new NestctlError(
    `The local database was made by PostgreSQL ${major}; the embedded one is ${binaries.version} now.`,
    {
      kind: 'conflict',
      code: 'other_major_version',
      hint: `To keep what is in it, go back to the nestctl that brought PostgreSQL ${major}; or make it anew.`,
      next: 'nestctl local reset',
    },
  );
}

/** The new cluster's first segments have the names of the old one's, and archiving would stop at them. */
async function setOldWalAside(
  paths: LocalPaths,
  user: ServerUser,
  onStage: UpOptions['onStage'],
): Promise<void> {
  if ((await readdir(paths.wal)).length === 0) return;
  const path = `${paths.wal}.set-aside-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await rename(paths.wal, path);
  await mkdir(paths.wal, { mode: 0o700 });
  await handOver(paths.wal, user);
  onStage?.({ type: 'set-aside', path });
}

async function bootstrap(
  { port }: RunningServer,
  passwords: Passwords,
  { onStage }: UpOptions,
): Promise<{ version: string; applied: string[] }> {
  const target = (user: string, database: string) => {
    return { host: '127.0.0.1', port, database, user, password: passwords.get(user) ?? '' };
  };
  const applied: string[] = [];
  const version = await withConnection(target(SUPERUSER, 'postgres'), async (connection: Connection) => {
    await makeLogins(connection, passwords);
    await makeDatabase(connection);
    return (await connection.one<{ version: string }>(`select current_setting('server_version') as version`))
      .version;
  });
  await migrate({
    target: target(OWNER, DATABASE),
    onStep: (step) => {
      if (step.type === 'done') applied.push(step.name);
      onStage?.({ type: 'migrating', step });
    },
  });
  await withConnection(target(SUPERUSER, DATABASE), registerLocalIdentities);
  return { version, applied };
}
