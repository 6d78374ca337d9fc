import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { LogState } from '../seal/log-state.js';
import type { FamilyWalk } from './family-walk.js';
import { Findings, NAMED } from './finding.js';
import { bucketOf, CATEGORY, ENTRY, readEntry } from './tally.js';
import { inRange, type Range } from './verify-events.js';
import { walkTree } from './verify-tree.js';

/** Buckets are looked into so many at once: 65,536 events or so. */
const AT_ONCE = 16;

/**
 * Names what differs in these buckets of the tally: events without a leaf, leaves without their event, others.
 * `elsewhere`: whether the event of a leaf is archived.
 */
export async function diagnose(
  connection: Connection,
  state: LogState,
  range: Range,
  buckets: readonly number[],
  families: FamilyWalk,
  findings: Findings,
  elsewhere: (entries: Buffer, entryAt: number, index: number) => boolean,
): Promise<void> {
  const before = findings.count;
  for (let from = 0; from < buckets.length; from += AT_ONCE) {
    const some = buckets.slice(from, from + AT_ONCE);
    if (findings.faults.length >= NAMED) {
      findings.more += buckets.length - from;
      return;
    }
    await compareBuckets(connection, state, range, some, families, findings, elsewhere);
  }
  // Edited events were told of when they were read. That something differs is never passed over in silence.
  if (findings.count === before && !findings.faults.some(({ kind }) => kind === 'edited')) {
    findings.fault('tiles_damaged', 'events and leaves are not the same, and none of them says how', {
      object: 'tiles',
    });
  }
}

async function compareBuckets(
  connection: Connection,
  state: LogState,
  range: Range,
  buckets: readonly number[],
  families: FamilyWalk,
  findings: Findings,
  elsewhere: (entries: Buffer, entryAt: number, index: number) => boolean,
): Promise<void> {
  const wanted = new Set(buckets);
  const sealed = new Map<
    string,
    {
      readonly leaf: string;
      readonly index: number;
      readonly id: string;
      readonly category: string;
      readonly family: string | null;
    }
  >();
  await walkTree(connection, [], new Findings(), {
    onHead: () => undefined,
    onLeaf: (entries, entryAt, hashes, hashAt, index, number) => {
      if (!wanted.has(bucketOf(entries, entryAt)) || elsewhere(entries, entryAt, index)) return;
      const { id, at } = readEntry(entries, entryAt);
      if (!inRange(at, range)) return;
      const leaf = hashes.toString('hex', hashAt, hashAt + 32);
      sealed.set(placeOf(entries, entryAt), {
        leaf,
        index,
        id: `${id}`,
        category: categoryOf(entries, entryAt),
        family: families.keyOf(number)?.toString('hex') ?? null,
      });
    },
  });
  const events = await connection.query<{
    entry: Buffer;
    leaf: string;
    as_written: boolean;
    family: string | null;
  }>(sql`
    select entry, encode(coalesce(leaf_now, leaf), 'hex') as leaf, coalesce(leaf_now = leaf, false) as as_written, encode(family_key, 'hex') as family
    from audit.event_hashes where (id >> 12) & 65535 = any (${[...buckets]}::bigint[])
    order by id`);
  for (const { entry, leaf, as_written, family } of events) {
    const { epoch, xid, id: event, at } = readEntry(entry, 0);
    if (!inRange(at, range) || (epoch >= state.firstEpoch && xid >= state.watermark)) continue;
    const id = `${event}`;
    const key = placeOf(entry, 0);
    const there = sealed.get(key);
    sealed.delete(key);
    if (there === undefined) {
      findings.fault('inserted', `it claims transaction ${xid}, which was sealed without it`, { event: id });
    } else if (there.leaf !== leaf && as_written) {
      findings.fault(
        'edited',
        `event and leaf were both written anew: leaf ${there.index} of the tree is another`,
        {
          event: id,
        },
      );
    } else if (as_written && there.category !== categoryOf(entry, 0)) {
      findings.fault('tiles_damaged', `the category beside leaf ${there.index} is not that of its event`, {
        event: id,
      });
    } else if (as_written && there.leaf === leaf && there.family !== family) {
      findings.fault(
        'families_changed',
        `leaf ${there.index} stands in the chain of another family than its event says`,
        { event: id },
      );
    }
  }
  for (const { id, index } of sealed.values()) {
    findings.fault('deleted', `leaf ${index} of the tree is there, and the event is gone`, { event: id });
  }
}

/** Which event an entry is of: all that it says but the category. */
const placeOf = (entries: Buffer, at: number) => entries.toString('latin1', at, at + CATEGORY);
const categoryOf = (entries: Buffer, at: number) => entries.toString('latin1', at + CATEGORY, at + ENTRY);
