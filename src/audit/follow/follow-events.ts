import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { EventFilter } from '../event-filter.js';
import { type LogMark, logMark, Marks } from './log-mark.js';
import type { Place } from './place.js';
import { type Followed, readOn } from './read-on.js';

export interface FollowWish {
  readonly filter: EventFilter;
  /** Behind this place; else from now on, or from the filter's `since`. */
  readonly from: Place | undefined;
  /** Ends when all that was there is shown. */
  readonly once: boolean;
  /** How often to look, milliseconds. */
  readonly interval: number;
  readonly signal: AbortSignal;
}

export interface FollowConsole {
  /** Work in a session that is opened for it, under the same duty and purpose each time. */
  readonly session: <R>(work: (session: Session) => Promise<R>) => Promise<R>;
  /** Shows one event, and returns when the next can be taken. */
  readonly show: (followed: Followed) => Promise<void>;
  readonly tell: (message: string) => void;
}

const LONGEST_WAIT = 30_000;
/** What another connection mends. */
const PASSING = new Set([
  ...['connection_lost', 'server_down', 'server_unreachable', 'server_starting', 'too_many_connections'],
  // The commit of what only read leaves nothing to know.
  ...['outcome_unknown', 'host_unknown', 'serialization', 'deadlock', 'statement_timeout'],
]);

/**
 * Shows events as they are committed, each once, in the order of transactions, until the signal. A lost connection is
 * made again, and goes on behind the last event shown. Returns the place to go on from.
 */
export async function followEvents(wish: FollowWish, to: FollowConsole): Promise<Place> {
  const { signal, filter } = wish;
  const marks = new Marks();
  let place = wish.from;
  let failures = 0;
  const follow = async (session: Session): Promise<void> => {
    let read: LogMark | undefined;
    while (!signal.aborted) {
      const mark = await logMark(session);
      place ??= await startingPlace(session, filter, mark);
      marks.add(mark);
      // Where neither moved, no event was written, or none that could be shown yet.
      if (read?.below !== mark.below || read.epoch !== mark.epoch) {
        await readOn(session, filter, place, mark, async (followed) => {
          if (signal.aborted) return false;
          await to.show(followed);
          place = followed.place;
          failures = 0;
          return true;
        });
        if (signal.aborted) return;
      }
      failures = 0;
      const { epoch } = place;
      place = marks.end(place, mark);
      const caughtUp = epoch === mark.epoch || epoch === place.epoch;
      read = caughtUp ? mark : undefined;
      if (caughtUp && wish.once) return;
      if (caughtUp) await pause(wish.interval, signal);
    }
  };
  for (;;) {
    try {
      await to.session(follow);
      return place as Place;
    } catch (error) {
      if (signal.aborted && place !== undefined) return place;
      // Only what has worked is worth trying again.
      if (!passing(error) || place === undefined) throw error;
      const wait = Math.min(LONGEST_WAIT, 250 * 2 ** failures++);
      to.tell(`! ${(error as Error).message} Trying again.`);
      await pause(wait, signal);
    }
  }
}

/** Without a token: from now on, or with the first event since a time. */
async function startingPlace(session: Session, { since }: EventFilter, mark: LogMark): Promise<Place> {
  const now = { epoch: mark.epoch, xid: mark.below, id: '0', floor: mark.floor };
  if (since === undefined) return now;
  const [first] = await session.query<{ epoch: number }>(sql`
    select min(e.epoch) as epoch from audit.events e where e.occurred_at >= ${since} having count(*) > 0`);
  return first === undefined ? now : { epoch: first.epoch, xid: '0', id: '0', floor: '0' };
}

function passing(error: unknown): boolean {
  return error instanceof NestctlError && PASSING.has(error.code);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
