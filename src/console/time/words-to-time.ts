import { offsetAt } from '../../platform/zone.js';

const DAY = 86_400_000;
const WEEKDAYS = [
  ['sunday', 'dimanche'],
  ['monday', 'lundi'],
  ['tuesday', 'mardi'],
  ['wednesday', 'mercredi'],
  ['thursday', 'jeudi'],
  ['friday', 'vendredi'],
  ['saturday', 'samedi'],
];
const DAYS_AGO: Readonly<Record<string, number>> = {
  today: 0,
  "aujourd'hui": 0,
  yesterday: 1,
  hier: 1,
};
const HOURS: Readonly<Record<string, string>> = {
  noon: '12:00',
  midi: '12:00',
  midnight: '00:00',
  minuit: '00:00',
};

/**
 * Plain words for a time as a date or a wall time of the zone, in the written form: `now`, `yesterday 14:00`,
 * `last tuesday at 2pm`, `mardi dernier 14h30`. A weekday is the last one before today. Undefined for anything else.
 */
export function wordsToTime(
  input: string,
  { zone, now }: { readonly zone: string; readonly now: Date },
): string | undefined {
  const words = input.toLowerCase().replaceAll('’', "'").trim().split(/\s+/);
  if (words.join(' ') === 'now') return now.toISOString();
  const [first = '', ...others] = words.filter(
    (word) => !['last', 'dernier', 'at', 'à', 'on'].includes(word),
  );
  const today = new Date(now.getTime() + offsetAt(now.getTime(), zone));
  const weekday = WEEKDAYS.findIndex((names) => names.includes(first));
  const ago = DAYS_AGO[first] ?? (weekday === -1 ? undefined : ((today.getUTCDay() - weekday + 6) % 7) + 1);
  if (ago === undefined || others.length > 2) return undefined;
  const date = new Date(today.getTime() - ago * DAY).toISOString().slice(0, 10);
  if (others.length === 0) return date;
  const time = timeOf(others.join(''));
  return time === undefined ? undefined : `${date}T${time}`;
}

function timeOf(word: string): string | undefined {
  if (HOURS[word] !== undefined) return HOURS[word];
  const [, hour, minute = '00', half] = /^(\d{1,2})(?:[:h](\d{2})?)?(am|pm)?$/.exec(word) ?? [];
  if (hour === undefined || (half !== undefined && (Number(hour) < 1 || Number(hour) > 12))) return undefined;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'pm' ? 12 : 0);
  return `${String(hours).padStart(2, '0')}:${minute}`;
}
