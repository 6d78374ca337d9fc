const HOUR = 3_600_000;

/** A time zone and the bounds of its current day, milliseconds since 1970. */
export interface Day {
  readonly zone: string;
  readonly start: number;
  readonly end: number;
}

/** A zone where it is another date than in Greenwich, and far from the next midnight. */
export function dayElsewhere(now: number): Day {
  const hour = new Date(now).getUTCHours();
  const [zone, offset] = hour >= 10 ? ['Pacific/Kiritimati', 14] : ['Etc/GMT+12', -12];
  const start = Math.floor((now + offset * HOUR) / (24 * HOUR)) * 24 * HOUR - offset * HOUR;
  return { zone, start, end: start + 24 * HOUR };
}
