import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withConnection } from '../../src/platform/database/connection.js';
import { readyBinaries } from '../../src/platform/local/binaries.js';
import { makeLogins } from '../../src/platform/local/bootstrap.js';
import { makeCluster } from '../../src/platform/local/cluster.js';
import { LOGINS, SUPERUSER } from '../../src/platform/local/identities.js';
import { launch } from '../../src/platform/local/launch.js';
import { localPaths, makeFolders } from '../../src/platform/local/paths.js';
import { newPassword } from '../../src/platform/local/pgpass.js';
import { serverUser } from '../../src/platform/local/run-as.js';
import { stopServer } from '../../src/platform/local/server.js';
import type { Settings } from '../../src/platform/local/settings.js';

/** A server for tests with the logins of the local one. JSON, so that it can travel in the environment. */
export interface TestServer {
  readonly host: string;
  readonly port: number;
  /** By login, the superuser's among them. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Its superuser. */
  readonly superuser: string;
}

/** A server that tests started themselves. */
export interface OwnServer extends TestServer {
  readonly folder: string;
  readonly data: string;
  /** Stops it and removes all it had. */
  stop(): Promise<void>;
}

const FAST: Settings = {
  archive_mode: false,
  fsync: false,
  full_page_writes: false,
  synchronous_commit: false,
  max_connections: 200,
  shared_buffers: '128MB',
  autovacuum: false,
};

export interface TestServerOptions {
  /** The platform package of another version; default the installed one. */
  readonly package?: string;
  readonly settings?: Settings;
}

/** Starts an embedded server in a folder of its own, by the code that `nestctl local up` runs. */
export async function startTestServer(options: TestServerOptions = {}): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-test-'));
  const callOff = endWithThisProcess(folder);
  const stop = async () => {
    await stopServer(localPaths({ NESTCTL_HOME: folder }).data, { immediate: true });
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    callOff();
  };
  try {
    await chmod(folder, 0o755);
    return { ...(await start(folder, options)), folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(folder: string, options: TestServerOptions): Promise<TestServer & { data: string }> {
  const user = await serverUser();
  const paths = localPaths({ NESTCTL_HOME: folder });
  await makeFolders(paths, user);
  const binaries = await readyBinaries({ user, stageIn: paths.binaries, package: options.package });
  const logins = [SUPERUSER, ...LOGINS.map(({ name }) => name)];
  const passwords = new Map(logins.map((name) => [name, newPassword()]));
  const password = passwords.get(SUPERUSER) as string;
  const settings = { ...FAST, ...options.settings };

  await makeCluster({ paths, user, binaries, settings, password, durable: false });
  const { port } = await launch({ paths, user, binaries, settings, passwords });
  const target = { host: '127.0.0.1', port, database: 'postgres', user: SUPERUSER, password };
  await withConnection(target, (connection) => makeLogins(connection, passwords));
  const { host } = target;
  return { host, port, superuser: SUPERUSER, passwords: Object.fromEntries(passwords), data: paths.data };
}

/**
 * Ends the server and removes its folder when this process ends without doing so, however it ends: the pipe
 * that this little shell reads from then closes. Returns what calls it off.
 */
function endWithThisProcess(folder: string): () => void {
  const script = `read _; cd "$0" && pid=$(head -n 1 local/data/postmaster.pid) && kill -QUIT "$pid" &&
    while kill -0 "$pid"; do sleep 0.1; done; cd / && rm -rf "$0"`;
  const shell = spawn('sh', ['-c', script, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  (shell.stdin as Socket).unref();
  return () => shell.kill('SIGKILL');
}
