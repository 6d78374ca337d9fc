import type { Connection } from '../../platform/database/connection.js';
import { copyRows } from '../copy-rows.js';
import { asTime, microsecondsOf } from '../microseconds.js';
import type { LogState } from '../seal/log-state.js';
import type { Findings } from './finding.js';
import { readEntry, type Tally } from './tally.js';

/** From and up to these times, microseconds since 2000-01-01; without them the whole log. */
export interface Range {
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
}

export interface EventsRead {
  events: number;
  /** Not below the watermark yet. */
  unsealed: number;
  /** Events with an erased part, by the request that ordered it. */
  readonly erased: Map<string, number>;
}

/** More requests than that are counted together. */
const REQUESTS = 10_000;

/**
 * Reads every event once, in the order in which it lies on disk, and computes its leaf from what stands there now:
 * one that differs from what was computed when it was written is named, and sealed ones are counted in the tally.
 */
export async function readEvents(
  connection: Connection,
  state: LogState,
  { from, to }: Range,
  tally: Tally,
  findings: Findings,
  options: {
    readonly onProgress?: ((events: number) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<EventsRead> {
  const read: EventsRead = { events: 0, unsealed: 0, erased: new Map() };
  const conditions = [
    ...(from === undefined ? [] : [`occurred_at >= ${asTime(from)}`]),
    ...(to === undefined ? [] : [`occurred_at < ${asTime(to)}`]),
  ];
  await copyRows(
    connection,
    `select entry, leaf, leaf_now, array_to_string(erased_requests, E'\\n'), family_key
     from audit.event_hashes${conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`}`,
    ([entry, leaf, now, requests, family]) => {
      if (entry == null || leaf == null) return;
      read.events += 1;
      const event = readEntry(entry, 0);
      if (now == null || !now.equals(leaf)) {
        findings.fault('edited', 'it does not say any more what it said when it was written', {
          event: `${event.id}`,
        });
      }
      if (event.epoch >= state.firstEpoch && event.xid >= state.next) {
        findings.fault('inserted', `its transaction ${event.xid} has not happened yet`, {
          event: `${event.id}`,
        });
      }
      if (event.epoch >= state.firstEpoch && event.xid >= state.watermark) read.unsealed += 1;
      else tally.add(entry, now ?? leaf, family ?? undefined);
      if (requests != null) countErased(read.erased, requests.toString('utf8'));
      if (read.events % 65_536 === 0) options.onProgress?.(read.events);
    },
    options.signal,
  );
  return read;
}

function countErased(erased: Map<string, number>, requests: string): void {
  for (const request of new Set(requests.split('\n'))) {
    if (request === '') continue;
    const name = erased.has(request) || erased.size < REQUESTS ? request : 'others';
    erased.set(name, (erased.get(name) ?? 0) + 1);
  }
}

export function inRange(at: bigint, { from, to }: Range): boolean {
  return (from === undefined || at >= from) && (to === undefined || at < to);
}

/** The range from and up to these times. */
export function spanOf(since: Date | undefined, until: Date | undefined): Range {
  return { from: since && microsecondsOf(since), to: until && microsecondsOf(until) };
}
