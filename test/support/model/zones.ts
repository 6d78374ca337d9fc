const HOUR = 3_600_000;

/** Far apart, with half and quarter hours, on both sides of the date line. */
export const ZONES = [
  'America/St_Johns',
  'America/Halifax',
  'America/Toronto',
  'America/Regina',
  'America/Vancouver',
  'Pacific/Auckland',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Asia/Kathmandu',
] as const;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day in a zone, `2026-11-22`. `at` in milliseconds. */
export function localDay(zone: string, at: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
    formats.set(zone, format);
  }
  return format.format(at);
}

/** First moment of the zone's current day and of its next one, milliseconds. */
export function dayBounds(zone: string, now: number): { start: number; end: number } {
  const today = localDay(zone, now);
  const edge = (inside: number, outside: number) => {
    let [within, without] = [inside, outside];
    while (Math.abs(within - without) > 1) {
      const middle = Math.floor((within + without) / 2);
      if (localDay(zone, middle) === today) within = middle;
      else without = middle;
    }
    return Math.max(within, without);
  };
  const start = edge(now, now - 26 * HOUR);
  return { start, end: edge(now, now + 26 * HOUR) };
}
