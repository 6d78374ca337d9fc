import sql from 'sql-template-tag';
import { type Carrier, type Evidence, namedKeys, verifyingKeys, withCarrier } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Connection } from '../../platform/database/connection.js';
import { lockMissing } from '../../platform/object-store/index.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openCheckpoint, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { carryCheckpoint, isCarried } from './carry-checkpoint.js';

export interface Carried {
  /** The object store. */
  readonly place: string;
  readonly sent: number;
  /** Kept in the database, and not sent yet: the next run goes on with them. */
  readonly left: number;
}

/** So many a run. */
const MOST = 200;

interface Kept {
  readonly id: string;
  readonly checkpoint: SignedCheckpoint;
}

/**
 * Carries every checkpoint that the database keeps and the object store does not have yet, the oldest first, so that
 * what is there has no holes: after a time without the store, and after a run that was cut off. One by one, and at
 * most so many a run. Throws `lock_missing` before the first byte, and what the object store does.
 */
export async function carryBacklog(
  connection: Connection,
  context: Context,
  evidence: Evidence,
  options: { readonly most?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<Carried> {
  const { most = MOST, signal } = options;
  const keys = namedKeys(await verifyingKeys(evidence.places));
  return await withCarrier(context, async (carrier) => {
    const { store, place } = carrier;
    if ((await store.takesLocks()) === false)
      throw lockMissing(`What is carried to ${place}`, 'The checkpoint was not sent.');
    const last = await lastCarried(connection, carrier, keys);
    let sent = 0;
    let after = last;
    while (sent < most) {
      const next = await keptAfter(connection, after, keys);
      if (next === undefined) break;
      signal?.throwIfAborted();
      await carryCheckpoint(carrier, next.checkpoint);
      sent += 1;
      after = next.id;
    }
    const { left } = await connection.one<{ left: number }>(
      sql`select count(*)::float8 as left from audit.checkpoints where id > ${after}::bigint`,
    );
    return { place, sent, left };
  });
}

/**
 * The newest kept checkpoint that lies in the store; "0" where none does. Since they are sent in order it is found in
 * a few steps: back from the newest in strides that double, then between the last two.
 */
async function lastCarried(
  connection: Connection,
  carrier: Carrier,
  keys: readonly NamedKey[],
): Promise<string> {
  const carriedAt = async (back: number): Promise<Kept | 'missing' | 'none'> => {
    const kept = await keptBack(connection, back, keys);
    if (kept === undefined) return 'none';
    return (await isCarried(carrier, kept.checkpoint)) ? kept : 'missing';
  };
  let missing = -1;
  let stride = 0;
  let found = await carriedAt(stride);
  while (found === 'missing') {
    missing = stride;
    stride = Math.max(1, stride * 2);
    found = await carriedAt(stride);
  }
  // Between `missing`, which is not there, and `stride`, which is, or is before the first.
  let last = found === 'none' ? '0' : found.id;
  while (stride - missing > 1) {
    const middle = Math.floor((missing + stride) / 2);
    const there = await carriedAt(middle);
    if (there === 'missing') missing = middle;
    else {
      stride = middle;
      if (there !== 'none') last = there.id;
    }
  }
  return last;
}

/** The checkpoint so many places before the newest, or the next one before it that a known key has signed. */
async function keptBack(
  connection: Connection,
  back: number,
  keys: readonly NamedKey[],
): Promise<Kept | undefined> {
  return firstSigned(
    await connection.query<Row>(
      sql`select id, note from audit.checkpoints order by id desc offset ${back} limit 20`,
    ),
    keys,
  );
}

/** The next checkpoint that a known key has signed: of others it is not known what they are. */
async function keptAfter(
  connection: Connection,
  id: string,
  keys: readonly NamedKey[],
): Promise<Kept | undefined> {
  for (let after = id; ; ) {
    const rows = await connection.query<Row>(
      sql`select id, note from audit.checkpoints where id > ${after}::bigint order by id limit 20`,
    );
    const signed = firstSigned(rows, keys);
    const last = rows.at(-1);
    if (signed !== undefined || last === undefined) return signed;
    after = last.id;
  }
}

interface Row {
  readonly id: string;
  readonly note: string;
}

function firstSigned(rows: readonly Row[], keys: readonly NamedKey[]): Kept | undefined {
  for (const { id, note } of rows) {
    const checkpoint = openCheckpoint(note, keys);
    if (checkpoint?.kid !== undefined) return { id, checkpoint };
  }
  return undefined;
}
