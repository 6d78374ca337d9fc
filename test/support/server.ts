import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withConnection } from '../../src/platform/database/connection.js';
import { readyBinaries } from '../../src/platform/local/binaries.js';
import { makeLogins } from '../../src/platform/local/bootstrap.js';
import { makeCluster } from '../../src/platform/local/cluster.js';
import { LOGINS, SUPERUSER } from '../../src/platform/local/identities.js';
import { localPaths, makeFolders } from '../../src/platform/local/paths.js';
import { newPassword } from '../../src/platform/local/pgpass.js';
import { freePort } from '../../src/platform/local/port.js';
import { identify } from '../../src/platform/local/process-identity.js';
import { serverUser } from '../../src/platform/local/run-as.js';
import { startServer, stopServer } from '../../src/platform/local/server.js';
import { type Settings, serverSettings } from '../../src/platform/local/settings.js';
import { StartFailure } from '../../src/platform/local/start-failure.js';

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

const PREFIX = 'nestctl-test-';
const RUN = 'run.json';

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
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  await chmod(folder, 0o755);
  await claim(folder);
  try {
    const user = await serverUser();
    const paths = localPaths({ NESTCTL_HOME: folder });
    await makeFolders(paths, user);
    const binaries = await readyBinaries({ user, stageIn: paths.binaries, package: options.package });
    const passwords = new Map(
      [SUPERUSER, ...LOGINS.map(({ name }) => name)].map((name) => [name, newPassword()]),
    );
    const password = passwords.get(SUPERUSER) as string;

    let port = 0;
    for (let attempt = 1; ; attempt++) {
      port = await freePort();
      const settings = { ...serverSettings(port, paths.wal, paths.log), ...FAST, ...options.settings };
      await rm(paths.data, { recursive: true, force: true });
      await makeCluster({ paths, user, binaries, settings, password, durable: false });
      try {
        await startServer({ paths, user, binaries, port, password });
        break;
      } catch (error) {
        if (attempt === 5 || !(error instanceof StartFailure) || error.reason !== 'port_taken') throw error;
      }
    }
    const target = { host: '127.0.0.1', port, database: 'postgres', user: SUPERUSER, password };
    await withConnection(target, (connection) => makeLogins(connection, passwords));
    return {
      host: '127.0.0.1',
      port,
      superuser: SUPERUSER,
      passwords: Object.fromEntries(passwords),
      folder,
      data: paths.data,
      stop: () => stopAndRemove(folder),
    };
  } catch (error) {
    await stopAndRemove(folder);
    throw error;
  }
}

async function stopAndRemove(folder: string): Promise<void> {
  await stopServer(localPaths({ NESTCTL_HOME: folder }).data, { immediate: true });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Ends what a killed run has left, however long ago: its servers would stay for ever. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!name.startsWith(PREFIX) || (await stat(folder)).uid !== process.getuid?.()) continue;
    const run = await readFile(join(folder, RUN), 'utf8').catch(() => undefined);
    if (run === undefined) continue;
    const { pid, start } = JSON.parse(run) as { pid: number; start?: string };
    if ((await identify(pid))?.start !== start) await stopAndRemove(folder);
  }
}

/** Says whose folder it is. Whole from the start, since other runs read it at any time. */
async function claim(folder: string): Promise<void> {
  const { pid, start } = (await identify(process.pid)) ?? { pid: process.pid, start: '' };
  await writeFile(join(folder, `${RUN}.draft`), JSON.stringify({ pid, start }));
  await rename(join(folder, `${RUN}.draft`), join(folder, RUN));
}
