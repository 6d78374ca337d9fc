import type { Connection } from '../../platform/database/connection.js';

/** Milliseconds of a day. */
export const DAY = 86_400_000;

/**
 * Local time as the server reckons it. Not as Node does: the two bring zone data of different years, and a
 * province changes its rules now and then.
 */
export class Calendar {
  readonly #offsets: ReadonlyMap<string, ReadonlyMap<number, number>>;

  private constructor(offsets: ReadonlyMap<string, ReadonlyMap<number, number>>) {
    this.#offsets = offsets;
  }

  /** For the zones named, over so many days up to `now`. */
  static async load(
    connection: Connection,
    zones: readonly string[],
    span: { readonly now: number; readonly days: number },
  ): Promise<Calendar> {
    const today = Math.floor(span.now / DAY);
    const rows = await connection.query<{ zone: string; day: number; offset: number }>(
      `select zone, day, extract(epoch from noon - (noon at time zone zone at time zone 'UTC'))::float8 * 1000 as offset
       from unnest($1::text[]) zone, generate_series($2::integer, $3::integer) day,
         lateral (select timestamp '1970-01-01 12:00' + make_interval(days => day)) at (noon)`,
      [zones, today - span.days - 2, today + 1],
    );
    const offsets = new Map(zones.map((zone) => [zone, new Map<number, number>()]));
    for (const { zone, day, offset } of rows) offsets.get(zone)?.set(day, offset);
    return new Calendar(offsets);
  }

  /** Milliseconds that a zone is ahead of UTC at noon of a day, counted in days since 1970-01-01. */
  offset(zone: string, day: number): number {
    const offset = this.#offsets.get(zone)?.get(day);
    if (offset === undefined) throw new RangeError(`no offset of ${zone} on day ${day}`);
    return offset;
  }

  /** The day that a moment falls on, in days since 1970-01-01. */
  day(zone: string, moment: number): number {
    return Math.floor((moment + this.offset(zone, Math.floor(moment / DAY))) / DAY);
  }
}

/** YYYY-MM-DD. */
export function isoDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}
