import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { withConnection } from '../../src/platform/database/connection.js';
import { readyBinaries } from '../../src/platform/local/binaries.js';
import { handOver, localPaths, makeFolders } from '../../src/platform/local/paths.js';
import { freePort } from '../../src/platform/local/port.js';
import { serverUser, spawnAs } from '../../src/platform/local/run-as.js';
import { startServer, stopServer } from '../../src/platform/local/server.js';
import type { OwnServer, TestServer } from './server.js';

const run = promisify(execFile);

/** What is done to a server as a whole, by whoever has its disk. */
export interface Cluster {
  /** Copies its data folder while it is stopped; returns where the copy is. */
  setAside(name: string): Promise<string>;
  /** Stops it, puts a copy in place of its data folder, and starts it again. */
  putBack(copy: string): Promise<void>;
  /** As `putBack`, and replays the WAL that there was until now up to a restore point, as a PITR does. */
  recoverTo(copy: string, restorePoint: string): Promise<void>;
  /** Starts a copy beside it, on a port of its own. */
  startBeside(copy: string): Promise<TestServer & { stop(): Promise<void> }>;
  /** Gives it another system identifier, as pg_upgrade and initdb do; WAL before it is gone. */
  changeIdentifier(): Promise<void>;
  /** Stops it and starts it with these in its environment, such as a library to be loaded first. */
  restartWith(environment: Readonly<Record<string, string>>): Promise<void>;
}

/** Of a server whose WAL is kept (`wal_keep_size`), run by the programs of `folder` where it is not the embedded one. */
export async function clusterOf(server: OwnServer, folder?: string): Promise<Cluster> {
  const user = await serverUser();
  const paths = localPaths({ NESTCTL_HOME: server.folder });
  const binaries = await readyBinaries({ user, stageIn: paths.binaries, package: folder });
  const password = server.passwords[server.superuser] ?? '';
  const copy = async (from: string, to: string) => {
    await rm(to, { recursive: true, force: true });
    await run('cp', ['-a', from, to]);
  };
  const start = (program = binaries.postgres) =>
    startServer({ paths, user, binaries: { ...binaries, postgres: program }, port: server.port, password });
  const stop = () => stopServer(paths.data);
  const asUser = async (path: string, text: string) => {
    await writeFile(path, text, { mode: 0o600 });
    await handOver(path, user);
  };
  return {
    setAside: async (name) => {
      const to = join(server.folder, name);
      await stop();
      await copy(paths.data, to);
      await start();
      return to;
    },
    putBack: async (from) => {
      await stop();
      await copy(from, paths.data);
      await start();
    },
    recoverTo: async (from, restorePoint) => {
      await stop();
      const wal = join(server.folder, 'wal-until-now');
      await copy(join(paths.data, 'pg_wal'), wal);
      await copy(from, paths.data);
      await asUser(join(paths.data, 'recovery.signal'), '');
      const lines = [
        `restore_command = 'cp ${wal}/%f %p'`,
        `recovery_target_name = '${restorePoint}'`,
        `recovery_target_action = 'promote'`,
      ];
      await asUser(join(paths.data, 'postgresql.auto.conf'), `${lines.join('\n')}\n`);
      await start();
      const target = {
        host: server.host,
        port: server.port,
        user: server.superuser,
        password,
        database: 'postgres',
      };
      await withConnection(target, async (connection) => {
        for (let tries = 0; tries < 200; tries += 1) {
          const { over } = await connection.one<{ over: boolean }>('select not pg_is_in_recovery() as over');
          if (over) return;
          await sleep(50);
        }
        throw new Error('the recovery does not end');
      });
    },
    startBeside: async (from) => {
      const beside = localPaths({ NESTCTL_HOME: `${from}-beside` });
      await makeFolders(beside, user);
      await copy(from, beside.data);
      const port = await freePort();
      const settings = await readFile(join(beside.data, 'nestctl.conf'), 'utf8');
      await asUser(join(beside.data, 'nestctl.conf'), settings.replace(/^port = \d+$/m, `port = ${port}`));
      await startServer({ paths: beside, user, binaries, port, password });
      const { host, passwords, superuser } = server;
      return {
        host,
        port,
        passwords,
        superuser,
        stop: async () => void (await stopServer(beside.data, { immediate: true })),
      };
    },
    changeIdentifier: async () => {
      await stop();
      const control = join(paths.data, 'global', 'pg_control');
      await writeFile(control, withIdentifier(await readFile(control)));
      await run('/usr/lib/postgresql/15/bin/pg_resetwal', ['-D', paths.data], spawnAs(user, paths.data));
      await start();
    },
    restartWith: async (environment) => {
      const program = join(server.folder, 'postgres-with');
      const lines = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'\n`);
      await writeFile(program, `#!/bin/sh\n${lines.join('')}exec ${binaries.postgres} "$@"\n`, {
        mode: 0o755,
      });
      await stop();
      await start(program);
    },
  };
}

/** A control file that names another system; its checksum, CRC-32C, stands behind what it covers. */
function withIdentifier(control: Buffer): Buffer {
  const at = Array.from({ length: 100 }, (_, word) => word * 4).find(
    (place) => place >= 200 && crc32c(control.subarray(0, place)) === control.readUInt32LE(place),
  );
  if (at === undefined) throw new Error('no checksum was found in pg_control');
  control.writeBigUInt64LE(control.readBigUInt64LE(0) + 1n, 0);
  control.writeUInt32LE(crc32c(control.subarray(0, at)), at);
  return control;
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
