import { NestctlError } from './errors.js';

/** A place in the list of this name, opaque to whoever carries it. */
export function encodeCursor(list: string, place: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...place])).toString('base64url');
}

/**
 * The place that a cursor names, one part for each pattern. Throws `usage` for a cursor of another list and for
 * anything that is none.
 */
export function decodeCursor(list: string, cursor: string, parts: readonly RegExp[]): string[] {
  try {
    const [from, ...place]: unknown[] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const fits = (part: unknown, at: number) => typeof part === 'string' && parts[at]?.test(part) === true;
    const whole = from === list && place.length === parts.length && place.every(fits);
    // Decoding forgives stray characters; a cursor that was cut or mixed up must not.
    if (whole && encodeCursor(list, place as string[]) === cursor) return place as string[];
  } catch {
    // Not ours: said below.
  }
  throw new NestctlError('--cursor: this is not a cursor that nestctl made for this list.', {
    kind: 'usage',
    code: 'invalid_cursor',
    hint: 'Take it from the page before, or leave it out to begin again.',
  });
}

/** Parts of a place. */
export const PART = {
  id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  number: /^[0-9]{1,18}$/,
  text: /^[^\0]*$/,
  /** As PostgreSQL prints a timestamptz of our time in a session in UTC. */
  time: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/,
} as const;
