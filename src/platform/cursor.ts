import { NestctlError } from './errors.js';

/** A place in a list, opaque to whoever carries it. */
export function encodeCursor(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place in a list that a cursor names, of the given number of parts. Throws `usage` for anything else. */
export function decodeCursor(cursor: string, parts: number): string[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(place) && place.length === parts && place.every((part) => typeof part === 'string')) {
      return place;
    }
  } catch {
    // Not ours: said below.
  }
  throw new NestctlError('--cursor: this is not a cursor that nestctl made for this list.', {
    kind: 'usage',
    code: 'invalid_cursor',
    hint: 'Take it from the page before, or leave it out to begin again.',
  });
}
