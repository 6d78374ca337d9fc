import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withConnection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { migrationStatus } from '../migrations/index.js';
import { clusterMajor, clusterState, configuredPort } from './cluster.js';
import { contextsOf } from './contexts.js';
import { DATABASE, OWNER, SUPERUSER } from './identities.js';
import { lockHolder } from './lock.js';
import { type LocalPaths, localPaths } from './paths.js';
import { runningServer } from './server.js';

/**
 * `absent`: never made. `half-made`: an interrupted `up`. `busy`: another process is setting it up, taking it down
 * or making it anew. `unreachable`: runs, and lets nobody in.
 */
export type LocalState = 'absent' | 'half-made' | 'busy' | 'stopped' | 'running' | 'unreachable';

export interface LocalStatus {
  readonly state: LocalState;
  readonly pid: number | null;
  readonly port: number | null;
  /** As in `17.10`; the major alone while it is stopped. */
  readonly version: string | null;
  readonly started_at: Date | null;
  readonly data: string;
  /** Bytes on disk. */
  readonly data_size: number;
  readonly wal: WalStatus;
  readonly contexts: readonly string[];
  /** null while it does not run. */
  readonly migrations: {
    /** The newest one applied. */
    readonly newest: string | null;
    readonly applied: number;
    readonly pending: number;
  } | null;
  /** Why it lets nobody in, or who is at work on it. */
  readonly problem: string | null;
}

export interface WalStatus {
  readonly folder: string;
  /** Segments in the folder. */
  readonly segments: number;
  /** Bytes on disk. */
  readonly size: number;
  /** What the server says of archiving since its statistics began; null while it does not run. */
  readonly archiver: {
    readonly archived: number;
    readonly last_archived: string | null;
    readonly last_archived_at: Date | null;
    readonly failed: number;
    readonly last_failed: string | null;
    readonly last_failed_at: Date | null;
  } | null;
}

/** How the embedded database is doing. Changes nothing, starts nothing, waits for nobody. */
export async function status(): Promise<LocalStatus> {
  const paths = localPaths();
  // Before anything else: who has finished meanwhile has left the rest complete.
  const holder = await lockHolder(paths.lock);
  const [state, server] = await Promise.all([clusterState(paths.data), runningServer(paths.data)]);
  const base = {
    pid: server?.pid ?? null,
    port: server?.port ?? (await configuredPort(paths.data)) ?? null,
    version: state === 'complete' ? String(await clusterMajor(paths.data)) : null,
    started_at: null,
    data: paths.data,
    data_size: (await measure(paths.data)).bytes,
    wal: await walStatus(paths),
    contexts: await contextsOf(paths),
    migrations: null,
    problem: null,
  };
  const busy =
    holder === undefined
      ? undefined
      : ({
          ...base,
          state: 'busy',
          problem: `Another nestctl (process ${holder}) is setting it up or taking it down; ask again in a moment.`,
        } as const);
  if (server === undefined) return busy ?? { ...base, state: stateOf(state) };
  try {
    return { ...base, ...(await askServer(paths, server.port, base.wal)), state: 'running' };
  } catch (error) {
    if (!(error instanceof NestctlError)) throw error;
    return busy ?? { ...base, state: 'unreachable', problem: error.message };
  }
}

function stateOf(state: Awaited<ReturnType<typeof clusterState>>): LocalState {
  if (state === 'complete') return 'stopped';
  return state === 'absent' ? 'absent' : 'half-made';
}

interface ServerFacts {
  readonly version: string;
  readonly started_at: Date;
  readonly archived: number;
  readonly last_archived: string | null;
  readonly last_archived_at: Date | null;
  readonly failed: number;
  readonly last_failed: string | null;
  readonly last_failed_at: Date | null;
}

async function askServer(paths: LocalPaths, port: number, wal: WalStatus) {
  const target = { host: '127.0.0.1', port, passfile: paths.passfile };
  const { version, started_at, ...archiver } = await withConnection(
    { ...target, database: 'postgres', user: SUPERUSER },
    (connection) =>
      connection.one<ServerFacts>(
        `select current_setting('server_version') as version, pg_postmaster_start_time() as started_at,
           archived_count::int as archived, last_archived_wal as last_archived,
           last_archived_time as last_archived_at, failed_count::int as failed,
           last_failed_wal as last_failed, last_failed_time as last_failed_at
         from pg_catalog.pg_stat_archiver`,
      ),
  );
  const migrations = await migrationStatus({ ...target, database: DATABASE, user: OWNER });
  const applied = migrations.filter(({ appliedAt }) => appliedAt !== null);
  return {
    version,
    started_at,
    wal: { ...wal, archiver },
    migrations: {
      newest: applied.at(-1)?.name ?? null,
      applied: applied.length,
      pending: migrations.length - applied.length,
    },
  };
}

async function walStatus(paths: LocalPaths): Promise<WalStatus> {
  const { bytes, names } = await measure(paths.wal);
  const segments = names.filter((name) => /^[0-9A-F]{24}$/.test(name)).length;
  return { folder: paths.wal, segments, size: bytes, archiver: null };
}

/** Bytes in all files below, and the names in the folder itself. Files may vanish meanwhile. */
async function measure(folder: string): Promise<{ bytes: number; names: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  const sizes = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return (await measure(path)).bytes;
    return (await lstat(path).catch(() => undefined))?.size ?? 0;
  });
  return {
    bytes: (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
    names: entries.map(({ name }) => name),
  };
}
