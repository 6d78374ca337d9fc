import { mkdtempSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type LocalPaths, localPaths } from '../../src/platform/local/paths.js';
import { runningServer, stopServer } from '../../src/platform/local/server.js';

/** Gives each test a NESTCTL_HOME and a context file of its own, and ends what it started. */
export function useLocalHome(): {
  readonly home: string;
  readonly paths: LocalPaths;
  readonly config: string;
} {
  const place = { home: '', config: '' };
  beforeEach(async () => {
    place.home = mkdtempSync(join(tmpdir(), 'nestctl-local-'));
    place.config = join(place.home, 'config', 'contexts.toml');
    await chmod(place.home, 0o755);
    process.env.NESTCTL_HOME = place.home;
    process.env.NESTCTL_CONFIG = place.config;
  });
  afterEach(() => removeHome(place.home));
  return {
    get home() {
      return place.home;
    },
    get config() {
      return place.config;
    },
    get paths() {
      return localPaths({ NESTCTL_HOME: place.home });
    },
  };
}

/** Stops the server that runs in a home, if any, and removes it all. */
export async function removeHome(home: string): Promise<void> {
  await stopServer(localPaths({ NESTCTL_HOME: home }).data, { immediate: true });
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
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
