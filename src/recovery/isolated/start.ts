import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withConnection } from '../../platform/database/connection.js';
import type { ConnectionTarget } from '../../platform/database/target.js';
import { NestctlError } from '../../platform/errors.js';
import { handOver } from '../../platform/local/paths.js';
import { type ServerUser, spawnAs } from '../../platform/local/run-as.js';
import { runningServer } from '../../platform/local/server.js';
import { writeFor } from '../../platform/local/write-for.js';
import { type RecoveryTarget, targetSettings } from '../target.js';
import type { Recovered } from './folder.js';
import { recoveryFailure } from './recovery-failure.js';

const SUPERUSER = 'postgres';

export interface StartOptions {
  readonly postgres: string;
  readonly user: ServerUser;
  /** Of this restore; holds the data folder and what belongs to it. */
  readonly folder: string;
  readonly data: string;
  readonly log: string;
  readonly target: RecoveryTarget;
  readonly restore_command: string;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then where the replay is. */
  readonly onReplay?: ((lsn: string, at: Date | null) => void) | undefined;
}

/** The one way into an isolated instance: its socket, as its superuser, for whoever restored it. */
export function isolatedTarget(socket: string, database = 'postgres'): ConnectionTarget {
  return {
    ...{ host: socket, port: 5432, database, user: SUPERUSER, password: undefined },
    ...{ passfile: undefined, sslmode: 'disable', sslrootcert: undefined },
  };
}

/**
 * What keeps a restored server to itself, given on its command line, which goes before anything that came with its data: no
 * network, no archive to spoil, nobody replicated to or from, no library that has jobs to run, nobody let in but its one socket.
 * What recovery refuses to be lower than it was (max_connections and the like) is left as it came.
 */
function isolation(socket: string, folder: string): Readonly<Record<string, string>> {
  return {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    port: '5432',
    ssl: 'off',
    hba_file: join(folder, 'pg_hba.conf'),
    ident_file: join(folder, 'pg_ident.conf'),
    archive_mode: 'off',
    archive_command: '',
    archive_library: '',
    restore_command: '',
    archive_cleanup_command: '',
    recovery_end_command: '',
    primary_conninfo: '',
    primary_slot_name: '',
    synchronous_standby_names: '',
    max_logical_replication_workers: '0',
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m ',
    hot_standby: 'on',
    recovery_target_timeline: 'latest',
    recovery_target_action: 'promote',
    external_pid_file: '',
  };
}

/**
 * Starts a restored cluster on its own and replays the log up to the target. It is there once it lets in and is not in recovery:
 * exit codes say nothing. Throws what `recoveryFailure` reads in its log. Leaves no process where it fails.
 */
export async function startIsolated(
  options: StartOptions,
): Promise<{ socket: string; recovered: Recovered }> {
  const { postgres, user, folder, log, target } = options;
  const data = await realpath(options.data);
  const socket = join(tmpdir(), `nestctl-${randomBytes(6).toString('hex')}`);
  await mkdir(socket, { mode: 0o700 });
  await handOver(socket, user);
  const me = userInfo().username;
  await writeFor(user, join(folder, 'pg_hba.conf'), 'local all all peer map=nestctl\n');
  await writeFor(user, join(folder, 'pg_ident.conf'), `nestctl ${me} ${SUPERUSER}\n`);
  await writeFor(user, join(data, 'recovery.signal'), '');
  const settings = {
    ...isolation(socket, folder),
    ...targetSettings(target),
    restore_command: options.restore_command,
  };
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const output = await open(log, 'a', 0o600);
  let ended = false;
  try {
    const child = spawn(postgres, ['-D', data, ...words], {
      ...spawnAs(user, data),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    child.once('error', () => {
      ended = true;
    });
    child.once('exit', () => {
      ended = true;
    });
    child.unref();
  } finally {
    await output.close();
  }
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      const standing = await lookAt(socket);
      if (standing?.recovering === false) return { socket, recovered: standing.recovered };
      if (standing !== undefined)
        options.onReplay?.(
          standing.recovered.lsn,
          standing.recovered.last_commit_at === null ? null : new Date(standing.recovered.last_commit_at),
        );
      if (ended) throw recoveryFailure(await readFile(log, 'utf8'), log);
      await sleep(100);
    }
  } catch (error) {
    const server = await runningServer(data);
    if (server !== undefined) process.kill(server.pid, 'SIGQUIT');
    await rm(socket, { recursive: true, force: true });
    throw error;
  }
}

interface Standing {
  readonly recovering: boolean;
  readonly recovered: Recovered;
}

async function lookAt(socket: string): Promise<Standing | undefined> {
  try {
    return await withConnection(isolatedTarget(socket), async (connection) => {
      const row = await connection.one<{
        recovering: boolean;
        lsn: string;
        at: Date | null;
        timeline: number;
      }>(`
        select r.recovering, coalesce(pg_last_wal_replay_lsn(), '0/0')::text as lsn, pg_last_xact_replay_timestamp() as at,
          case when r.recovering then (select timeline_id from pg_control_checkpoint())
            else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline
        from (select pg_is_in_recovery() as recovering) r`);
      return {
        recovering: row.recovering,
        recovered: { lsn: row.lsn, timeline: row.timeline, last_commit_at: row.at?.toISOString() ?? null },
      };
    });
  } catch (error) {
    // It does not listen yet, or is not consistent yet.
    if (error instanceof NestctlError) return undefined;
    throw error;
  }
}
