import { instantsOf, offsetAt } from '../../platform/zone.js';
import { parseDuration } from './parse-duration.js';
import { wordsToTime } from './words-to-time.js';

export interface InstantOptions {
  /** IANA name, such as `America/Toronto`, for what is written without an offset. */
  readonly zone: string;
  readonly now: Date;
  /**
   * The side of a range. A bare date means its first instant, or for `end` the first of the next day; a wall time
   * that came twice means the first, or for `end` the second.
   */
  readonly edge: 'start' | 'end';
}

const SHAPE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?\s*(Z|[+-]\d{2}:\d{2})?)?$/i;
const FORMS =
  'Write 3h or 2d (ago), 2026-11-20, 2026-11-20T14:02, the same with Z or -05:00, or "last tuesday 14:00".';

/**
 * An instant as a person writes it. Throws an Error with a sentence for dates that do not exist and wall times
 * that the clocks of the zone skipped.
 */
export function parseInstant(input: string, options: InstantOptions): Date {
  const ago = parseDuration(input);
  if (ago !== undefined) return new Date(options.now.getTime() - ago);
  const match = SHAPE.exec(wordsToTime(input, options) ?? input);
  if (match === null) throw new Error(`"${input}" is not a time. ${FORMS}`);
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const fields = [year, month, day, hour, minute, second].map((field) => Number(field ?? 0));
  const wall = wallOf(fields, Number((fraction ?? '').padEnd(3, '0')));
  if (wall === undefined) throw new Error(`${input} does not exist in the calendar.`);
  if (offset !== undefined) return new Date(wall - offsetOf(offset, input));
  if (hour === undefined) return startOfDay(options.edge === 'end' ? wall + 86_400_000 : wall, options.zone);
  const instants = instantsOf(wall, options.zone);
  const instant = options.edge === 'end' ? instants.at(-1) : instants[0];
  if (instant === undefined) {
    throw new Error(
      `${input} never came in ${options.zone}: the clocks were put forward over it. Give an offset, such as ${input}-05:00.`,
    );
  }
  return new Date(instant);
}

function wallOf(fields: readonly number[], milliseconds: number): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const wall = new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds));
  // Date.UTC reads the years 0 to 99 as 1900 to 1999.
  if (year >= 100 && year <= 9999) {
    const read = [
      wall.getUTCFullYear(),
      wall.getUTCMonth() + 1,
      wall.getUTCDate(),
      wall.getUTCHours(),
      wall.getUTCMinutes(),
      wall.getUTCSeconds(),
    ];
    if (read.every((value, at) => value === fields[at])) return wall.getTime();
  }
  return undefined;
}

function offsetOf(offset: string, input: string): number {
  if (/^z$/i.test(offset)) return 0;
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  if (hours > 14 || minutes > 59) throw new Error(`${input}: no clock on earth has the offset ${offset}.`);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000);
}

/** Midnight, or where the clocks skipped it the instant they did. */
function startOfDay(wall: number, zone: string): Date {
  return new Date(instantsOf(wall, zone)[0] ?? wall - offsetAt(wall - 86_400_000, zone));
}
