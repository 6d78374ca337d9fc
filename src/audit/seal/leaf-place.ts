import sql from 'sql-template-tag';
import type { LeafFacts } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import type { LogState } from './log-state.js';

const ENTRY = 30;
const WIDTH = 256;

type Place = Pick<LeafFacts, 'epoch' | 'xid' | 'id' | 'occurred_at' | 'category'>;

/**
 * Which leaf is an event's; undefined where it has none. Leaves are in the order of epoch, transaction and id but for
 * those that were sealed after a move to another cluster, so what is not where it should be is looked for everywhere.
 */
export async function leafPlace(
  session: Session,
  { size }: LogState,
  event: Place,
): Promise<number | undefined> {
  const wanted = entryOf(event);
  let [low, high] = [0, Math.ceil(size / WIDTH) - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [tile] = await session.query<{ first: Buffer }>(
      sql`select substr(entries, 1, 20) as first from audit.tiles where level = 0 and number = ${middle}`,
    );
    if (tile === undefined || tile.first.compare(wanted, 0, 20) <= 0) low = middle;
    else high = middle - 1;
  }
  return (await within(session, wanted, sql`number = ${low}`)) ?? (await within(session, wanted, sql`true`));
}

async function within(
  session: Session,
  wanted: Buffer,
  where: ReturnType<typeof sql>,
): Promise<number | undefined> {
  const tiles = await session.query<{ number: string; entries: Buffer }>(
    sql`select number, entries from audit.tiles where level = 0 and ${where} and position(${wanted} in entries) > 0`,
  );
  for (const { number, entries } of tiles) {
    for (let at = 0; at < entries.length; at += ENTRY) {
      if (entries.compare(wanted, 0, ENTRY, at, at + ENTRY) === 0) return Number(number) * WIDTH + at / ENTRY;
    }
  }
  return undefined;
}

function entryOf({ epoch, xid, id, occurred_at: at, category }: Place): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.writeInt32BE(epoch, 0);
  entry.writeBigUInt64BE(BigInt(xid), 4);
  entry.writeBigInt64BE(BigInt(id), 12);
  entry.writeBigInt64BE(BigInt(at), 20);
  entry.write(category.slice(0, 2), 28);
  return entry;
}
