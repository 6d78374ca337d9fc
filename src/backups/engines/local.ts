import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../platform/config/contexts.js';
import { withConnection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import { SUPERUSER } from '../../platform/local/identities.js';
import { withLock } from '../../platform/local/lock.js';
import { localPaths } from '../../platform/local/paths.js';
import { readPasswords } from '../../platform/local/pgpass.js';
import { runningServer } from '../../platform/local/server.js';
import { makePrivateFolder, syncFolder } from '../../platform/private-folder.js';
import type { Backup, Catalogue } from '../backup.js';
import type { BackupEngine, Damage, Expired, Made, Verified, WorkOptions } from '../engine.js';
import { expiredSegments, readArchiveFolder, verifySegments } from './local/archive-folder.js';
import {
  BASE,
  beyond,
  LOCK,
  MANIFEST,
  nameOf,
  readBackup,
  readBackups,
  readNote,
  removeUnfinished,
  UNFINISHED,
} from './local/backup-folder.js';
import { extractBase } from './local/extract-base.js';
import { readManifest } from './local/manifest.js';
import { takeBase } from './local/take-base.js';
import { verifyBase } from './local/verify-base.js';

const ARCHIVING_MS = 60_000;

/**
 * Of the embedded PostgreSQL: base backups by the replication protocol into a folder of the caller's, which the server's own user
 * cannot reach, and the archive that the server writes from the start. On the same disk: it mends mistakes, no fire.
 */
export function localEngine(_context: Context): BackupEngine {
  const { cluster, data, wal, passfile } = localPaths();
  const place = join(cluster, 'backups');
  const folderOf = ({ id }: Pick<Backup, 'id'>) => join(place, id);
  return {
    kind: 'local',
    place,

    async catalogue(): Promise<Catalogue> {
      return {
        backups: await readBackups(place),
        archive: await readArchiveFolder(wal).catch((error: unknown) => {
          throw unreadable(wal, error);
        }),
      };
    },

    async create(made: Made, options: WorkOptions = {}): Promise<Backup> {
      const server = await runningServer(data);
      const password = (await readPasswords(passfile)).get(SUPERUSER);
      if (server === undefined || password === undefined) throw notRunning();
      await makePrivateFolder(place);
      return await withLock(join(place, LOCK), async () => {
        await removeUnfinished(place);
        const started = new Date();
        const id = nameOf(started);
        const unfinished = join(place, id + UNFINISHED);
        await mkdir(unfinished, { mode: 0o700 });
        try {
          await takeBase(unfinished, { port: server.port, password, label: id, started, made, options });
          await rename(unfinished, join(place, id));
          await syncFolder(place);
        } catch (error) {
          await rm(unfinished, { recursive: true, force: true });
          throw error;
        }
        return await readBackup(place, id);
      });
    },

    async verify(backup: Backup, options: WorkOptions = {}): Promise<Verified> {
      options.tell?.(`reading backup ${backup.id}`);
      const folder = folderOf(backup);
      const manifest = await readManifest(join(folder, MANIFEST));
      const damage = await verifyBase(join(folder, BASE), manifest, options);
      const note = await readNote(folder);
      if (manifest.sha256 !== note?.manifest_sha256) damage.push({ file: MANIFEST, what: 'changed' });
      const [from, to] = [backup.start_segment, backup.stop_segment];
      if (note !== undefined && from !== null && to !== null)
        damage.push(...(await verifySegments(wal, [{ from, to, count: 0 }], note.segment_size)));
      return {
        ...{ backup: backup.id, files: manifest.files.size, damage },
        bytes: [...manifest.files.values()].reduce((sum, file) => sum + file.size, 0),
      };
    },

    async archiveNow({ signal }: WorkOptions = {}): Promise<boolean> {
      const server = await runningServer(data);
      const password = (await readPasswords(passfile)).get(SUPERUSER);
      if (server === undefined || password === undefined) return false;
      const target = { host: '127.0.0.1', port: server.port, user: SUPERUSER, database: 'postgres' };
      const segment = await withConnection(
        { ...target, password: async () => password },
        async (connection) => {
          // A commit after whatever moment is asked for: without one a recovery does not know that it has come there.
          await connection.query('select pg_current_xact_id()');
          const { name } = await connection.one<{ name: string }>(
            'select pg_walfile_name(pg_switch_wal()) as name',
          );
          return name;
        },
      );
      for (let waited = 0; waited < ARCHIVING_MS; waited += 100) {
        signal?.throwIfAborted();
        if ((await stat(join(wal, segment)).catch(() => undefined)) !== undefined) return true;
        await sleep(100);
      }
      throw notArchiving(segment);
    },

    async archivedAt(segment: string): Promise<Date | null> {
      return (await stat(join(wal, segment)).catch(() => undefined))?.mtime ?? null;
    },

    async restoreInto(backup: Backup, folder: string, options: WorkOptions = {}) {
      const from = folderOf(backup);
      options.tell?.(`holding backup ${backup.id} against its checksums`);
      const damage = await verifyBase(join(from, BASE), await readManifest(join(from, MANIFEST)), options);
      if (damage.length > 0) throw notAsMade(backup, damage);
      options.tell?.('copying the cluster');
      await extractBase(join(from, BASE), folder, options);
      return { restore_command: `cp ${quoted(wal)}/%f "%p"` };
    },

    async planExpiry(since: Date): Promise<Expired> {
      const { gone, needless } = await expirable(since);
      return { backups: gone.map(({ id }) => id), segments: needless.length };
    },

    async expire(since: Date): Promise<Expired> {
      return await withLock(join(place, LOCK), async () => {
        const { gone, needless } = await expirable(since);
        for (const backup of gone) await rm(folderOf(backup), { recursive: true, force: true });
        for (const name of needless) await rm(join(wal, name), { force: true });
        return { backups: gone.map(({ id }) => id), segments: needless.length };
      });
    },
  };

  /** Backups that can go, and files of the log that none needs which stays. */
  async function expirable(since: Date) {
    const backups = await readBackups(place);
    const gone = beyond(backups, since);
    const kept = backups.filter((backup) => !gone.includes(backup));
    return { gone, needless: await expiredSegments(wal, kept) };
  }
}

/** As a shell reads it, and PostgreSQL before it. */
const quoted = (path: string) => `'${path.replaceAll("'", "'\\''").replaceAll('%', '%%')}'`;

const notRunning = () =>
  new NestctlError('The embedded PostgreSQL does not run: nothing can be copied from it.', {
    kind: 'conflict',
    code: 'server_down',
    next: 'nestctl local up',
  });

const notArchiving = (segment: string) =>
  new NestctlError(`The server did not archive ${segment} within a minute.`, {
    kind: 'failure',
    code: 'archiving_fails',
    hint: 'Its log says why.',
    next: 'nestctl doctor',
  });

const notAsMade = ({ id }: Backup, [first, ...more]: readonly Damage[]) =>
  new NestctlError(
    `Backup ${id} is not as it was made: ${first?.file ?? 'all of it'} is ${first?.what}${more.length > 0 ? `, and ${more.length} more` : ''}.`,
    {
      kind: 'finding',
      code: 'backup_damaged',
      hint: 'Nothing was restored from it. An older backup and the log lead to the same moment.',
      next: 'nestctl backup list',
    },
  );

const unreadable = (folder: string, error: unknown) =>
  new NestctlError(`The archive ${folder} cannot be read: ${(error as Error).message}.`, {
    kind: 'conflict',
    code: 'archive_unreadable',
    next: 'nestctl local status',
  });
