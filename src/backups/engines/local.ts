import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
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
import { parseLsn, segmentAt, segmentName } from '../wal.js';
import { expiredSegments, readArchiveFolder, verifySegments } from './local/archive-folder.js';
import { BaseBackup } from './local/base-backup.js';
import { extractBase } from './local/extract-base.js';
import { readManifest } from './local/manifest.js';
import { verifyBase } from './local/verify-base.js';

/** What stands beside a backup; written last, so that what has none is not at its end. */
interface Note {
  readonly started_at: string;
  readonly stopped_at: string;
  readonly start: { readonly lsn: string; readonly timeline: number };
  readonly stop: { readonly lsn: string; readonly timeline: number };
  readonly segment_size: number;
  readonly version: string;
  readonly system: string;
  /** Bytes of the cluster's files. */
  readonly size: number;
  readonly manifest_sha256: string;
  readonly made: Made;
}

const [BASE, MANIFEST, NOTE] = ['base.tar', 'backup_manifest', 'backup.json'];
const ARCHIVING_MS = 60_000;
const [UNFINISHED, LOCK] = ['.unfinished', '.lock'];

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
      const names = (await readdir(place).catch(absentIsEmpty)).filter((name) => name !== LOCK);
      const backups = await Promise.all(names.map((name) => readBackup(place, name)));
      return {
        backups: backups.sort((one, other) => other.id.localeCompare(one.id)),
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
      if (manifest.sha256 !== (await readNote(folder))?.manifest_sha256)
        damage.push({ file: MANIFEST, what: 'changed' });
      const { segment_size: size } = await readArchiveFolder(wal);
      const [from, to] = [backup.start_segment, backup.stop_segment];
      if (from !== null && to !== null)
        damage.push(...(await verifySegments(wal, [{ from, to, count: 0 }], size)));
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
      return { restore_command: `cp "${wal}/%f" "%p"` };
    },

    planExpiry,

    async expire(since: Date): Promise<Expired> {
      return await withLock(join(place, LOCK), async () => {
        const plan = await planExpiry(since);
        for (const id of plan.backups) await rm(folderOf({ id }), { recursive: true, force: true });
        for (const name of await needless(since)) await rm(join(wal, name), { force: true });
        return plan;
      });
    },
  };

  async function planExpiry(since: Date): Promise<Expired> {
    const names = (await readdir(place).catch(absentIsEmpty)).filter((name) => name !== LOCK);
    const backups = await Promise.all(names.map((name) => readBackup(place, name)));
    return { backups: beyond(backups, since).map(({ id }) => id), segments: (await needless(since)).length };
  }

  async function needless(since: Date): Promise<string[]> {
    const names = (await readdir(place).catch(absentIsEmpty)).filter((name) => name !== LOCK);
    const backups = await Promise.all(names.map((name) => readBackup(place, name)));
    const gone = new Set(beyond(backups, since).map(({ id }) => id));
    return await expiredSegments(
      wal,
      backups.filter(({ id }) => !gone.has(id)),
    );
  }
}

/** Those before the newest from which all since then can be recovered. */
function beyond(backups: readonly Backup[], since: Date): Backup[] {
  const complete = backups.filter(({ state }) => state === 'complete');
  const oldest = complete
    .filter(({ stopped_at }) => stopped_at !== null && stopped_at <= since)
    .sort((one, other) => other.id.localeCompare(one.id))[0];
  return oldest === undefined ? [] : complete.filter(({ id }) => id < oldest.id);
}

interface Taking {
  readonly port: number;
  readonly password: string;
  readonly label: string;
  readonly started: Date;
  readonly made: Made;
  readonly options: WorkOptions;
}

/** Streams a base backup into a folder, and reads all of it back before its note says that it is one. */
async function takeBase(
  folder: string,
  { port, password, label, started, made, options }: Taking,
): Promise<void> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres', ssl: false },
    ...{ replication: 'database', connectionTimeoutMillis: 10_000, application_name: 'nestctl backup' },
  } as ConstructorParameters<typeof pg.Client>[0]);
  client.on('error', () => {});
  const streams = {
    base: createWriteStream(join(folder, BASE), { mode: 0o600, flush: true }),
    manifest: createWriteStream(join(folder, MANIFEST), { mode: 0o600, flush: true }),
  };
  const written = Promise.all([finished(streams.base), finished(streams.manifest)]);
  const stop = () => client.connection.stream.destroy();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    await client.connect();
    const { rows } = await client.query('show wal_segment_size');
    const version = (await client.query('show server_version')).rows[0].server_version as string;
    const identity = (await client.query('IDENTIFY_SYSTEM')).rows[0];
    options.tell?.('copying the cluster');
    let bytes = 0;
    const backup = new BaseBackup(label, streams, (more) => {
      bytes += more;
      options.onBytes?.(bytes);
    });
    client.query(backup);
    const [start, end] = await Promise.race([backup.done, written.then(() => backup.done)]);
    streams.base.end();
    streams.manifest.end();
    await written;
    options.tell?.('reading it back');
    const manifest = await readManifest(join(folder, MANIFEST));
    const damage = await verifyBase(join(folder, BASE), manifest, options);
    if (damage.length > 0) throw notAsSent(damage.length);
    const note: Note = {
      ...{ started_at: started.toISOString(), stopped_at: new Date().toISOString(), start, stop: end },
      segment_size: bytesOf(rows[0].wal_segment_size as string),
      version: version.split('.')[0] ?? version,
      system: identity.systemid,
      size: [...manifest.files.values()].reduce((sum, file) => sum + file.size, 0),
      manifest_sha256: manifest.sha256,
      made,
    };
    await writeFile(join(folder, NOTE), `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600, flush: true });
    await syncFolder(folder);
  } catch (error) {
    streams.base.destroy();
    streams.manifest.destroy();
    await written.catch(() => undefined);
    options.signal?.throwIfAborted();
    throw error instanceof NestctlError ? error : failed(error);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await client.end().catch(() => undefined);
  }
}

async function readBackup(place: string, name: string): Promise<Backup> {
  const folder = join(place, name);
  const note = await readNote(folder);
  const running = name.endsWith(UNFINISHED);
  const segment = (at: Note['start'], side: 'at' | 'before') =>
    note === undefined
      ? null
      : segmentName(
          { timeline: at.timeline, number: segmentAt(parseLsn(at.lsn), note.segment_size, side) },
          note.segment_size,
        );
  const stored = await stat(join(folder, BASE)).catch(() => undefined);
  return {
    engine: 'local',
    id: running ? name.slice(0, -UNFINISHED.length) : name,
    type: 'full',
    state: running ? 'running' : note === undefined ? 'failed' : 'complete',
    started_at: note === undefined ? null : new Date(note.started_at),
    stopped_at: note === undefined ? null : new Date(note.stopped_at),
    start_lsn: note?.start.lsn ?? null,
    stop_lsn: note?.stop.lsn ?? null,
    timeline: note?.stop.timeline ?? null,
    start_segment: note === undefined ? null : segment(note.start, 'at'),
    stop_segment: note === undefined ? null : segment(note.stop, 'before'),
    system: note?.system ?? null,
    version: note?.version ?? null,
    size: note?.size ?? null,
    stored: stored?.size ?? null,
    prior: null,
    encryption: 'none',
    place: folder,
    region: null,
  };
}

async function readNote(folder: string): Promise<Note | undefined> {
  const text = await readFile(join(folder, NOTE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Note);
}

/** What a run that was killed has left. */
async function removeUnfinished(place: string): Promise<void> {
  for (const name of await readdir(place))
    if (name.endsWith(UNFINISHED)) await rm(join(place, name), { recursive: true, force: true });
}

/** `20261201-141500F`: when it began, in UTC, full. */
const nameOf = (at: Date) => `${at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}F`;

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
const bytesOf = (text: string) => Number.parseInt(text, 10) * (UNITS[text.replace(/^\d+/, '')] ?? 1);

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

const notRunning = () =>
  new NestctlError('The embedded PostgreSQL does not run: nothing can be copied from it.', {
    kind: 'conflict',
    code: 'server_down',
    next: 'nestctl local up',
  });

const notAsSent = (files: number) =>
  new NestctlError(`What was written is not what the server sent: ${files} files differ.`, {
    kind: 'failure',
    code: 'backup_damaged',
    hint: 'It was removed. Have the disk looked at, and take another.',
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

const failed = (error: unknown) =>
  new NestctlError(`The backup was not made: ${error instanceof Error ? error.message : error}.`, {
    kind: 'failure',
    code: 'backup_failed',
    hint: 'What there was of it is removed.',
    cause: error,
  });

const unreadable = (folder: string, error: unknown) =>
  new NestctlError(`The archive ${folder} cannot be read: ${(error as Error).message}.`, {
    kind: 'conflict',
    code: 'archive_unreadable',
    next: 'nestctl local status',
  });
