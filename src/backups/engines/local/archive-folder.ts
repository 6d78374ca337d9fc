import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { summariseArchive } from '../../archive.js';
import type { Archive, Backup, Gap } from '../../backup.js';
import type { Damage } from '../../engine.js';
import { type Ancestor, parseHistory, parseSegment, segmentName } from '../../wal.js';

const USUAL_SIZE = 16 * 1024 * 1024;

/** What lies in a folder that WAL is archived to. */
export async function readArchiveFolder(folder: string): Promise<Archive> {
  const names = (await readdir(folder)).sort();
  const histories = new Map<number, Ancestor[]>();
  for (const name of names.filter((each) => /^[0-9A-F]{8}\.history$/.test(each)))
    histories.set(Number.parseInt(name, 16), parseHistory(await readFile(join(folder, name), 'utf8')));
  const segments = names.filter((name) => /^[0-9A-F]{24}$/.test(name));
  const size = await sizeOf(folder, segments[0]);
  const timelines = summariseArchive(segments, size, histories);
  const newest = timelines.at(-1)?.last;
  return {
    place: folder,
    segment_size: size,
    timelines,
    newest_at: newest === undefined ? null : (await stat(join(folder, newest))).mtime,
  };
}

/** A file says itself how long all are: xlp_seg_size, in the header of its first page. */
async function sizeOf(folder: string, name: string | undefined): Promise<number> {
  if (name === undefined) return USUAL_SIZE;
  const file = await open(join(folder, name));
  try {
    const head = Buffer.alloc(40);
    await file.read(head, 0, head.length, 0);
    const size = head.readUInt32LE(32);
    return size >= 1024 * 1024 && size <= 1024 ** 3 && Number.isInteger(Math.log2(size)) ? size : USUAL_SIZE;
  } finally {
    await file.close();
  }
}

/** Files of the log from before the first one that any of these backups needs. */
export async function expiredSegments(folder: string, backups: readonly Backup[]): Promise<string[]> {
  // Timelines apart: a place in the log is the same on all of them.
  const places = backups.flatMap(({ start_segment: name }) => (name === null ? [] : [name.slice(8)]));
  const first = places.sort()[0];
  if (first === undefined) return [];
  return (await readdir(folder)).filter((name) => /^[0-9A-F]{24}/.test(name) && name.slice(8, 24) < first);
}

/** Looks at files of the log: there, of full length, and with the address of their own place in the first page. */
export async function verifySegments(
  folder: string,
  wanted: readonly Gap[],
  size: number,
): Promise<Damage[]> {
  const damage: Damage[] = [];
  for (const { from, to } of wanted) {
    const [first, last] = [parseSegment(from, size), parseSegment(to, size)];
    if (first === undefined || last === undefined) continue;
    for (let { number } = first; number <= last.number; number += 1) {
      const name = segmentName({ timeline: first.timeline, number }, size);
      const what = await lookAt(join(folder, name), BigInt(number) * BigInt(size), size);
      if (what !== undefined) damage.push({ file: name, what });
    }
  }
  return damage;
}

async function lookAt(path: string, address: bigint, size: number): Promise<Damage['what'] | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return 'missing';
  try {
    if ((await file.stat()).size !== size) return 'changed';
    const head = Buffer.alloc(16);
    await file.read(head, 0, head.length, 0);
    return head.readBigUInt64LE(8) === address ? undefined : 'changed';
  } finally {
    await file.close();
  }
}
