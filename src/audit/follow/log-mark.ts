import type { Session } from '../../platform/database/session.js';
import type { Place } from './place.js';

/** Where the log stands at a moment. Numbers as text. */
export interface LogMark {
  readonly epoch: number;
  /** Since this epoch transaction ids run on: of those before, everything is final. */
  readonly first_epoch: number;
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
    'select epoch, first_epoch, below::text, next::text, last_id::text, floor::text from audit.log_mark()',
  );
}

/** Marks seen on the way, whose `next` the log has yet to reach. */
const MOST = 1000;

/** Remembers marks, and with them raises the floor of places as the log goes on. */
export class Marks {
  #waiting: LogMark[] = [];
  /** What comes from these transactions on belongs to that epoch or a later one. */
  readonly #begun = new Map<number, bigint>();

  add(mark: LogMark): void {
    if (!this.#begun.has(mark.epoch)) this.#begun.set(mark.epoch, BigInt(mark.next));
    const last = this.#waiting.at(-1);
    if (last?.epoch === mark.epoch && last.last_id === mark.last_id) return;
    if (this.#waiting.length >= MOST) this.#waiting.pop();
    this.#waiting.push(mark);
  }

  /** The place where all below a mark has been read. In the same epoch, while transactions may still write there. */
  end(from: Place, mark: LogMark): Place {
    const { epoch, below } = mark;
    // A transaction of the future of another life of the cluster would never be reached.
    if (from.epoch < epoch && this.#isOver(from.epoch, mark))
      return { epoch: from.epoch + 1, xid: '0', id: '0', floor: '0' };
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
    return from.xid === below ? { ...from, floor } : { epoch: from.epoch, xid: below, id: '0', floor };
  }

  /** A transaction that wrote before a recovery was recorded may commit afterwards. */
  #isOver(past: number, { epoch, first_epoch, below }: LogMark): boolean {
    return past < first_epoch || BigInt(below) >= (this.#begun.get(epoch) ?? 0n);
  }
}
