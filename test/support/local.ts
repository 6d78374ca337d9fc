import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { operatorTarget, resolveContext } from '../../src/platform/config/contexts.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { type LocalPaths, localPaths } from '../../src/platform/local/paths.js';
import { runningServer, stopServer } from '../../src/platform/local/server.js';

/** Gives each test, or all of a file, a NESTCTL_HOME and a context file of its own, and ends what it started. */
export function useLocalHome(scope: 'test' | 'file' = 'test') {
  const place = { home: '', config: '' };
  const [before, after] = scope === 'test' ? [beforeEach, afterEach] : [beforeAll, afterAll];
  before(async () => {
    place.home = mkdtempSync(join(tmpdir(), 'nestctl-local-'));
    place.config = join(place.home, 'config', 'contexts.toml');
    await chmod(place.home, 0o755);
    process.env.NESTCTL_HOME = place.home;
    process.env.NESTCTL_CONFIG = place.config;
  });
  after(() => removeHome(place.home));
  return {
    /** The context file. */
    get config(): string {
      return place.config;
    },
    get paths(): LocalPaths {
      return localPaths({ NESTCTL_HOME: place.home });
    },
  };
}

/** Stops the server that runs in a home, if any, and removes it all. */
export async function removeHome(home: string): Promise<void> {
  await stopServer(localPaths({ NESTCTL_HOME: home }).data, { immediate: true });
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}

/** Asks the server of the context `local`, as its first operator or as another login. */
export async function askLocal<T>(sql: string, user?: 'postgres'): Promise<T[]> {
  const operator = operatorTarget(await resolveContext('local'));
  const target = user === undefined ? operator : { ...operator, user };
  return withConnection(target, (connection) => connection.query<T>(sql));
}

/** Waits until the condition holds; fails after ten seconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within ten seconds: ${what}`);
}

/** Ends the server as a power cut would, and waits until it is gone. */
export async function killServer(data: string): Promise<number> {
  const server = await runningServer(data);
  if (server === undefined) throw new Error('no server to kill');
  process.kill(server.pid, 'SIGKILL');
  await until('the killed server is gone', async () => (await runningServer(data)) === undefined);
  return server.pid;
}
