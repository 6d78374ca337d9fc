import type { Session } from '../../platform/database/session.js';
import type { Place } from './place.js';

/** Where the log stands at a moment. Numbers as text. */
export interface LogMark {
  readonly epoch: number;
  /** Every transaction below is over: what it wrote is there, or never will be. */
  readonly below: string;
  /** The first transaction that has not begun; its events will have numbers above `last_id`. */
  readonly next: string;
  readonly last_id: string;
  /** Transactions from `below` on have written no event up to this number. */
  readonly floor: string;
}

/**
 * Throws `precondition` on a cluster that was restored, copied or failed over and has no epoch of its own: there
 * transactions count anew, and no order of them can be told.
 */
export async function logMark(session: Session): Promise<LogMark> {
  return await session.one<LogMark>(
    'select epoch, below::text, next::text, last_id::text, floor::text from audit.log_mark()',
  );
}

/** Marks seen on the way, whose `next` the log has yet to reach. */
const MOST = 1000;

/** Remembers marks, and with them raises the floor of places as the log goes on. */
export class Marks {
  #waiting: LogMark[] = [];

  add(mark: LogMark): void {
    const last = this.#waiting.at(-1);
    if (last?.epoch === mark.epoch && last.last_id === mark.last_id) return;
    if (this.#waiting.length >= MOST) this.#waiting.pop();
    this.#waiting.push(mark);
  }

  /** The place where all below a mark has been read. */
  end(from: Place, { epoch, below }: LogMark): Place {
    // A transaction of the future of another life of the cluster would never be reached.
    if (from.epoch < epoch) return { epoch: from.epoch + 1, xid: '0', id: '0', floor: '0' };
    if (BigInt(from.xid) > BigInt(below)) return from;
    const reached = this.#waiting.filter(
      (mark) => mark.epoch === epoch && BigInt(mark.next) <= BigInt(below),
    );
    this.#waiting = this.#waiting.filter((mark) => mark.epoch === epoch && !reached.includes(mark));
    const floor = reached.reduce(
      (most, { last_id }) => (BigInt(last_id) > BigInt(most) ? last_id : most),
      from.floor,
    );
    // Numbers begin at 1, so that all of the transaction at the mark is behind its place.
    return from.xid === below ? { ...from, floor } : { epoch, xid: below, id: '0', floor };
  }
}
