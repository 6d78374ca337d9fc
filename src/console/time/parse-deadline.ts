import { parseDuration } from './parse-duration.js';
import { parseInstant } from './parse-instant.js';

/**
 * An end in the future as a person writes it: `30d` from now, a date (its last instant), or a time. Throws an Error
 * with a sentence, also for what has passed.
 */
export function parseDeadline(input: string, zone: string, now = new Date()): Date {
  const ahead = parseDuration(input);
  const end =
    ahead === undefined ? parseInstant(input, { zone, now, edge: 'end' }) : new Date(now.getTime() + ahead);
  if (end > now) return end;
  throw new Error(`${input} has passed already`);
}
