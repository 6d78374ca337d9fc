import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { NestctlError } from '../../../platform/errors.js';
import { SUPERUSER } from '../../../platform/local/identities.js';
import { syncFolder } from '../../../platform/private-folder.js';
import type { Made, WorkOptions } from '../../engine.js';
import { BASE, MANIFEST, NOTE, type Note } from './backup-folder.js';
import { BaseBackup } from './base-backup.js';
import { readManifest } from './manifest.js';
import { verifyBase } from './verify-base.js';

interface Taking {
  readonly port: number;
  readonly password: string;
  readonly label: string;
  readonly started: Date;
  readonly made: Made;
  readonly options: WorkOptions;
}

/** Streams a base backup into a folder, and reads all of it back before its note says that it is one. */
export async function takeBase(
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

const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
const bytesOf = (text: string) => Number.parseInt(text, 10) * (UNITS[text.replace(/^\d+/, '')] ?? 1);

const notAsSent = (files: number) =>
  new NestctlError(`What was written is not what the server sent: ${files} files differ.`, {
    kind: 'failure',
    code: 'backup_damaged',
    hint: 'It was removed. Have the disk looked at, and take another.',
  });

const failed = (error: unknown) =>
  new NestctlError(`The backup was not made: ${error instanceof Error ? error.message : error}.`, {
    kind: 'failure',
    code: 'backup_failed',
    hint: 'What there was of it is removed.',
    cause: error,
  });
