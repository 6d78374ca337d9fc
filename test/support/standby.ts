import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { readyBinaries } from '../../src/platform/local/binaries.js';
import { writeSettings } from '../../src/platform/local/cluster.js';
import { handOver, localPaths, makeFolders } from '../../src/platform/local/paths.js';
import { freePort } from '../../src/platform/local/port.js';
import { type ServerUser, serverUser } from '../../src/platform/local/run-as.js';
import { startServer, stopServer } from '../../src/platform/local/server.js';
import { serverSettings } from '../../src/platform/local/settings.js';
import type { OwnServer, TestServer } from './server.js';

const PER_SERVER = [
  'postmaster.pid',
  'postmaster.opts',
  'backup_label',
  'standby.signal',
  'pg_wal',
  'pg_replslot',
  'pg_stat_tmp',
];

/** A physical standby. */
export interface Standby extends TestServer {
  /** Waits until it has replayed all that the primary has written by now. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Copies a running server by a low-level base backup and starts the copy as a streaming standby of it. A second one
 * of the same primary needs a name of its own.
 */
export async function startStandby(primary: OwnServer, name = 'standby'): Promise<Standby> {
  // Within the primary's folder: what removes one that was abandoned takes its standby's files along.
  const folder = join(primary.folder, name);
  const user = await serverUser();
  const paths = localPaths({ NESTCTL_HOME: folder });
  await makeFolders(paths, user);
  const binaries = await readyBinaries({ user, stageIn: paths.binaries });
  const port = await freePort();
  const password = primary.passwords[primary.superuser] ?? '';
  const stop = async () => {
    await stopServer(paths.data, { immediate: true });
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await copyCluster(primary, paths.data, user);
    await writeSettings(
      paths.data,
      {
        ...serverSettings(port, paths.wal, paths.log),
        archive_mode: false,
        fsync: false,
        // No fewer than the primary's.
        max_connections: 200,
        primary_conninfo: `host=${primary.host} port=${primary.port} user=${primary.superuser} password=${password}`,
        hot_standby: true,
        wal_retrieve_retry_interval: 200,
      },
      user,
    );
    await startServer({ paths, user, binaries, port, password });
  } catch (error) {
    await stop();
    throw error;
  }
  const server = { host: primary.host, port, passwords: primary.passwords, superuser: primary.superuser };
  return { ...server, stop, catchUp: () => catchUp(primary, server) };
}

async function copyCluster(primary: OwnServer, data: string, user: ServerUser): Promise<void> {
  const client = await connectTo(primary);
  try {
    await client.query(`select pg_backup_start('standby', fast => true)`);
    // A file that goes away meanwhile is no fault: replay makes up for it.
    await promisify(execFile)('cp', ['-a', primary.data, data]).catch((error: { stderr?: string }) => {
      const lines = (error.stderr ?? '').split('\n').filter((line) => line !== '');
      if (lines.length === 0 || lines.some((line) => !line.includes('No such file'))) throw error;
    });
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    for (const name of PER_SERVER) await rm(join(data, name), { recursive: true, force: true });
    for (const name of [
      'pg_wal',
      'pg_wal/archive_status',
      'pg_wal/summaries',
      'pg_replslot',
      'pg_stat_tmp',
    ]) {
      await mkdir(join(data, name), { mode: 0o700 });
      await handOver(join(data, name), user);
    }
    for (const [name, text] of [
      ['backup_label', rows[0]?.labelfile ?? ''],
      ['standby.signal', ''],
    ] as const) {
      await writeFile(join(data, name), text, { mode: 0o600 });
      await handOver(join(data, name), user);
    }
  } finally {
    await client.end();
  }
}

async function catchUp(primary: TestServer, standby: TestServer): Promise<void> {
  const [source, copy] = await Promise.all([connectTo(primary), connectTo(standby)]);
  try {
    const { rows } = await source.query<{ lsn: string }>('select pg_current_wal_insert_lsn() as lsn');
    for (let waited = 0; waited < 600; waited++) {
      const { rows: replayed } = await copy.query<{ done: boolean }>(
        'select pg_last_wal_replay_lsn() >= $1::pg_lsn as done',
        [rows[0]?.lsn],
      );
      if (replayed[0]?.done === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the standby does not catch up');
  } finally {
    await Promise.all([source.end(), copy.end()]);
  }
}

async function connectTo({ host, port, superuser, passwords }: TestServer): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    user: superuser,
    password: passwords[superuser],
    database: 'postgres',
  });
  await client.connect();
  return client;
}
