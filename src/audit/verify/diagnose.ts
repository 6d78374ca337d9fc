import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { LogState } from '../seal/log-state.js';
import { Findings, NAMED } from './finding.js';
import { bucketOf, readEntry } from './tally.js';
import { inRange, type Range } from './verify-events.js';
import { walkTree } from './verify-tree.js';

/** Buckets are looked into so many at once: 65,536 events or so. */
const AT_ONCE = 16;

/** Names what differs in these buckets of the tally: events without a leaf, leaves without their event, others. */
export async function diagnose(
  connection: Connection,
  state: LogState,
  range: Range,
  buckets: readonly number[],
  findings: Findings,
): Promise<void> {
  for (let from = 0; from < buckets.length; from += AT_ONCE) {
    const some = buckets.slice(from, from + AT_ONCE);
    if (findings.faults.length >= NAMED) {
      findings.more += buckets.length - from;
      return;
    }
    await compareBuckets(connection, state, range, some, findings);
  }
}

async function compareBuckets(
  connection: Connection,
  state: LogState,
  range: Range,
  buckets: readonly number[],
  findings: Findings,
): Promise<void> {
  const wanted = new Set(buckets);
  const sealed = new Map<string, { readonly leaf: string; readonly index: number; readonly id: string }>();
  await walkTree(connection, [], new Findings(), {
    onHead: () => undefined,
    onLeaf: (entries, entryAt, hashes, hashAt, index) => {
      if (!wanted.has(bucketOf(entries, entryAt))) return;
      const { epoch, xid, id, at } = readEntry(entries, entryAt);
      if (!inRange(at, range)) return;
      const leaf = hashes.toString('hex', hashAt, hashAt + 32);
      sealed.set(`${epoch}/${xid}/${id}/${at}`, { leaf, index, id: `${id}` });
    },
  });
  const events = await connection.query<{
    id: string;
    xid: string;
    epoch: number;
    at: string;
    leaf: string;
    as_written: boolean;
  }>(sql`
    select id::text, xid::text, epoch, ((extract(epoch from occurred_at) - 946684800) * 1000000)::bigint::text as at,
      encode(coalesce(leaf_now, leaf), 'hex') as leaf, coalesce(leaf_now = leaf, false) as as_written
    from audit.event_hashes where (id >> 12) & 65535 = any (${[...buckets]}::bigint[])
    order by id`);
  for (const { id, xid, epoch, at, leaf, as_written } of events) {
    if (!inRange(BigInt(at), range) || (epoch >= state.firstEpoch && BigInt(xid) >= state.watermark))
      continue;
    const key = `${epoch}/${xid}/${id}/${at}`;
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
    }
  }
  for (const { id, index } of sealed.values()) {
    findings.fault('deleted', `leaf ${index} of the tree is there, and the event is gone`, { event: id });
  }
}
