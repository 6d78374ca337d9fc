import { decodeCursor, encodeCursor, PART } from '../../platform/cursor.js';
import { NestctlError } from '../../platform/errors.js';

/**
 * A place in the order of transactions: all up to it was shown, all behind it was not. Numbers as text, since they have
 * 64 bits.
 */
export interface Place {
  readonly epoch: number;
  readonly xid: string;
  readonly id: string;
  /** No event of a transaction behind this place has a number up to this one: where to look for them. */
  readonly floor: string;
}

/** Before the first event of all. */
export const START: Place = { epoch: 1, xid: '0', id: '0', floor: '0' };

const LIST = 'events:followed';

/** The resume token of a place. */
export function tokenOf({ epoch, xid, id, floor }: Place): string {
  return encodeCursor(LIST, [String(epoch), xid, id, floor]);
}

/** Throws `usage` for what is no token. */
export function placeOf(token: string): Place {
  try {
    const parts = [/^\d{1,9}$/, PART.number, PART.number, PART.number];
    const [epoch = '', xid = '', id = '', floor = ''] = decodeCursor(LIST, token, parts);
    return { epoch: Number(epoch), xid, id, floor };
  } catch {
    throw new NestctlError('--from: this is not a token that nestctl made.', {
      kind: 'usage',
      code: 'invalid_token',
      hint: 'Take it from a line that "audit follow" printed, or from the end of an export.',
    });
  }
}
