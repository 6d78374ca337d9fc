const formatters = new Map<string, Intl.DateTimeFormat>();

/** The zone of this machine. */
export function systemZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function isZone(zone: string): boolean {
  try {
    formatterFor(zone);
    return true;
  } catch {
    return false;
  }
}

/** How far a zone's clocks are ahead of UTC at an instant; milliseconds. */
export function offsetAt(instant: number, zone: string): number {
  const parts = Object.fromEntries(
    formatterFor(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return wall - Math.floor(instant / 1000) * 1000;
}

/**
 * The instants at which a zone's clocks show a wall time (given as if it were UTC), earliest first: none where
 * the clocks were put forward over it, two where they were put back.
 */
export function instantsOf(wall: number, zone: string): number[] {
  const day = 86_400_000;
  const offsets = new Set([offsetAt(wall - day, zone), offsetAt(wall + day, zone)]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((instant) => instant + offsetAt(instant, zone) === wall)
    .sort((a, b) => a - b);
}

/** `2026-11-20 14:01:58 -05:00` */
export function formatInstant(date: Date, zone: string): string {
  if (Number.isNaN(date.getTime())) return 'no valid time';
  const offset = offsetAt(date.getTime(), zone);
  const wall = new Date(date.getTime() + offset).toISOString();
  const minutes = Math.abs(Math.trunc(offset / 60_000));
  const two = (number: number) => String(number).padStart(2, '0');
  const sign = offset < 0 ? '-' : '+';
  return `${wall.slice(0, 10)} ${wall.slice(11, 19)} ${sign}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

function formatterFor(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}
