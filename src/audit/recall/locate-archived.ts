import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { archiveFinder } from '../archive/archive-finder.js';
import { readArchives } from '../archive/archives.js';
import { nameOf } from '../archive/month.js';

/** Where in the archive an event is. */
export interface ArchivedPlace {
  /** `access 2025-01` */
  readonly month: string;
  readonly category: string;
  /** To the millisecond. */
  readonly time: Date;
}

const ENTRY = 30;

/**
 * The archived month of an event by its number, as the tree in the database has it; undefined where it is in none. Reads
 * every tile of the archives: numbers stand there in the order of transactions.
 */
export async function locateArchived(session: Session, id: string): Promise<ArchivedPlace | undefined> {
  const archives = (await readArchives(session)).filter(({ dropped_at }) => dropped_at !== null);
  if (archives.length === 0) return undefined;
  const tiles = await session.query<{ number: string; entries: Buffer }>(sql`
    select t.number, t.entries from audit.tiles t
    where t.level = 0 and strpos(encode(t.entries, 'hex'), encode(int8send(${id}::bigint), 'hex')) > 0
      and exists (select from audit.archives a
        where a.dropped_at is not null and t.number between a.first_leaf / 256 and a.last_leaf / 256)`);
  const find = archiveFinder(archives);
  for (const { number, entries } of tiles) {
    for (let at = 0; at < entries.length; at += ENTRY) {
      if (entries.readBigInt64BE(at + 12) !== BigInt(id)) continue;
      const archive = archives[find(Number(number) * 256 + at / ENTRY, entries, at)];
      if (archive === undefined) continue;
      const time = new Date(Date.UTC(2000, 0, 1) + Number(entries.readBigInt64BE(at + 20) / 1000n));
      return { month: nameOf(archive.month), category: archive.month.category, time };
    }
  }
  return undefined;
}
