import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { configuredPort, writeSettings } from './cluster.js';
import { SUPERUSER } from './identities.js';
import type { LocalPaths } from './paths.js';
import { type Passwords, writePasswords } from './pgpass.js';
import { freePort } from './port.js';
import { rescuePassword } from './rescue.js';
import type { ServerUser } from './run-as.js';
import { type RunningServer, startServer, stopServer } from './server.js';
import { type Settings, serverSettings } from './settings.js';
import { StartFailure } from './start-failure.js';

/** What happens while the server starts, told as it happens. */
export type LaunchStage =
  | { readonly type: 'starting'; readonly port: number }
  /** The port it had is taken by another program. */
  | { readonly type: 'moved'; readonly from: number; readonly to: number }
  /** It replays WAL after a crash. */
  | { readonly type: 'recovering' }
  /** Remains of a killed server still hold the data folder. */
  | { readonly type: 'settling' }
  /** The superuser's password was lost and is set anew. */
  | { readonly type: 'rescuing' };

export interface LaunchOptions {
  readonly paths: LocalPaths;
  readonly user: ServerUser;
  readonly binaries: Binaries;
  readonly passwords: Passwords;
  /** Over the usual ones. */
  readonly settings?: Settings | undefined;
  readonly onStage?: ((stage: LaunchStage) => void) | undefined;
}

/** How long the remains of a killed server may take to go. */
const SETTLING_MS = 30_000;

/**
 * Starts the server of a complete cluster on the port it had, or on another where that is taken, and goes on
 * through all that can be mended: a lost race for the port, remains of a killed server, a lost password.
 */
export async function launch(options: LaunchOptions): Promise<RunningServer> {
  const { paths, user, binaries, onStage } = options;
  const password = options.passwords.get(SUPERUSER) ?? '';
  const deadline = Date.now() + SETTLING_MS;
  let preferred = await configuredPort(paths.data);
  let settling = false;
  let rescued = false;
  for (let moves = 0; ; ) {
    const port = await freePort(preferred);
    if (preferred !== undefined && port !== preferred)
      onStage?.({ type: 'moved', from: preferred, to: port });
    preferred = port;
    await writeSettings(
      paths.data,
      { ...serverSettings(port, paths.wal, paths.log), ...options.settings },
      user,
    );
    await writePasswords(paths.passfile, port, options.passwords);
    onStage?.({ type: 'starting', port });
    try {
      return await startServer({
        paths,
        user,
        binaries,
        port,
        password,
        onRecovery: () => onStage?.({ type: 'recovering' }),
      });
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      if (error.reason === 'port_taken' && moves < 5) {
        moves += 1;
      } else if (error.reason === 'still_stopping' && Date.now() < deadline) {
        if (!settling) onStage?.({ type: 'settling' });
        settling = true;
        await sleep(250);
      } else if (error.reason === 'wrong_password' && !rescued) {
        rescued = true;
        onStage?.({ type: 'rescuing' });
        await stopServer(paths.data);
        await rescuePassword({ paths, user, binaries, password });
      } else {
        throw error;
      }
    }
  }
}
