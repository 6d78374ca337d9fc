import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backup } from '../../backup.js';
import type { Made } from '../../engine.js';
import { parseLsn, segmentAt, segmentName } from '../../wal.js';

/** What stands beside a backup; written last, so that what has none is not at its end. */
export interface Note {
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

export const [BASE, MANIFEST, NOTE] = ['base.tar', 'backup_manifest', 'backup.json'];
export const [UNFINISHED, LOCK] = ['.unfinished', '.lock'];

/** Of a folder of backups, newest first; none where there is no such folder. */
export async function readBackups(place: string): Promise<Backup[]> {
  const names = await readdir(place).catch(absentIsEmpty);
  const backups = await Promise.all(
    names.filter((name) => name !== LOCK).map((name) => readBackup(place, name)),
  );
  return backups.sort((one, other) => other.id.localeCompare(one.id));
}

export async function readBackup(place: string, name: string): Promise<Backup> {
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

export async function readNote(folder: string): Promise<Note | undefined> {
  const text = await readFile(join(folder, NOTE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Note);
}

/** What a run that was killed has left. */
export async function removeUnfinished(place: string): Promise<void> {
  for (const name of await readdir(place))
    if (name.endsWith(UNFINISHED)) await rm(join(place, name), { recursive: true, force: true });
}

/** `20261201-141500F`: when it began, in UTC, full. */
export const nameOf = (at: Date) =>
  `${at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}F`;

/** Of these, newest first: those before the newest from which all since then can be recovered. */
export function beyond(backups: readonly Backup[], since: Date): Backup[] {
  const complete = backups.filter(({ state }) => state === 'complete');
  const oldest = complete.find(({ stopped_at }) => stopped_at !== null && stopped_at <= since);
  return oldest === undefined ? [] : complete.filter(({ id }) => id < oldest.id);
}

function absentIsEmpty(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
