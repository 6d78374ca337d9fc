import { DAY } from './calendar.js';
import type { Child } from './children.js';
import { stageAt } from './growth.js';
import type { SeededFamily } from './household.js';
import type { Person } from './people.js';
import { copyLine } from './rows.js';
import type { WeeklyUsage } from './weekly-usage.js';

export const USAGE_LOG_COLUMNS = [
  'family_id',
  'id',
  'child_id',
  'inventory_item_id',
  'usage_type',
  'logged_at',
  'quantity_used',
  'context',
  'caregiver_name',
  'was_wet',
  'was_soiled',
  'had_leakage',
  'product_rating',
  'time_since_last_change',
  'notes',
  'health_notes',
  'created_by',
  'created_at',
  'updated_at',
] as const;

/** How a day goes, by hour from midnight: two or three changes at night, most after meals and before bed. */
const HOURS = {
  home: [2, 2, 2, 3, 3, 5, 9, 11, 8, 7, 7, 7, 9, 8, 6, 7, 7, 8, 10, 11, 9, 5, 4, 3],
  daycare: [0, 0, 0, 0, 0, 0, 0, 4, 8, 9, 9, 8, 10, 8, 7, 9, 8, 4, 0, 0, 0, 0, 0, 0],
};
const HOUR_TABLE = { home: hourTable(HOURS.home), daycare: hourTable(HOURS.daycare) };

/** Each hour as often as its weight, so that one draw finds one. */
function hourTable(weights: readonly number[]): readonly number[] {
  return weights.flatMap((weight, hour) => Array.from({ length: weight }, () => hour));
}

interface Caregiver {
  readonly name: string;
  readonly id: string;
  readonly context: string;
}

/**
 * The usage logs of a family's children over the days before `now`, in COPY's text format, one child after the
 * other in order of time. Counts each change into `weekly`.
 */
export function* usageLogLines(family: SeededFamily, days: number, weekly: WeeklyUsage): Generator<string> {
  const { place, now, calendar } = family;
  const today = calendar.day(place.zone, now);
  const team = caregivers(family);
  for (const child of family.children) {
    let last = 0;
    for (let day = Math.max(today - days, child.born); day <= today; day++) {
      const { changesADay } = stageAt(day - child.born);
      // Monday is 4 days after the day 0, a Thursday.
      const weekend = (day + 3) % 7 >= 5;
      if (changesADay === 0 || (family.institution && weekend)) continue;
      const midnight = day * DAY - calendar.offset(place.zone, day);
      for (const minute of minutesOfDay(family, changesADay)) {
        const at = midnight + minute * 60_000;
        if (at <= last || at > now || at < now - days * DAY) continue;
        const since = last === 0 ? 0 : at - last;
        yield line(family, child, team, { at, minute, weekend, since });
        weekly.add(child, day, Math.floor(minute / 60), since);
        last = at;
      }
    }
  }
}

function minutesOfDay({ random, institution }: SeededFamily, changesADay: number): number[] {
  const table = institution ? HOUR_TABLE.daycare : HOUR_TABLE.home;
  const expected = institution ? changesADay * 0.5 : changesADay;
  const count = Math.max(1, Math.round(expected + (random.below(300) - 150) / 100));
  const minutes: number[] = [];
  for (let made = 0; made < count; made++) minutes.push(random.pick(table) * 60 + random.below(60));
  return minutes.sort((one, other) => one - other);
}

function caregivers({ people, institution }: SeededFamily): { home: Caregiver[]; weekday: Caregiver[] } {
  const as = (context: string) => (person: Person) => ({
    name: `${person.firstName} ${person.lastName}`,
    id: person.id,
    context,
  });
  const of = (role: Person['role']) => people.filter((person) => person.role === role);
  if (institution) {
    const staff = people.map(as('daycare'));
    return { home: staff, weekday: staff };
  }
  const home = of('family_core').map(as('home'));
  const weekday = [
    ...of('institutional').map(as('daycare')),
    ...of('professional').map(as('home')),
    ...of('extended_family').map(as('grandparents')),
  ];
  return { home, weekday: weekday.length > 0 ? weekday : home };
}

interface Moment {
  readonly at: number;
  /** Of the family's day. */
  readonly minute: number;
  readonly weekend: boolean;
  /** Milliseconds since the change before; 0 for the first. */
  readonly since: number;
}

const NOTES = {
  en: ['Slept through.', 'A bit red, used cream.', 'Size getting tight.'],
  fr: ['A bien dormi.', 'Un peu rouge, crème appliquée.', 'La taille devient serrée.'],
};
const HEALTH_NOTES = {
  en: ['Loose stool, watch for fever.', 'Rash on the left side.'],
  fr: ['Selles liquides, surveiller la fièvre.', 'Rougeurs du côté gauche.'],
};

function line(
  family: SeededFamily,
  child: Child,
  team: ReturnType<typeof caregivers>,
  moment: Moment,
): string {
  const { random, stock, place } = family;
  const { at, minute, weekend, since } = moment;
  const night = minute < 360 || minute >= 1320;
  const type = usageType(random.below(100), night);
  const item =
    type === 'wipe_use'
      ? stock.wipes
      : type === 'cream_application'
        ? stock.cream
        : type === 'clothing_change'
          ? null
          : (stock.openBox.get(child.id) ?? null);
  const daytime = !weekend && minute >= 480 && minute < 1050;
  const by = random.pick(daytime ? team.weekday : team.home) as Caregiver;
  const context =
    by.context === 'home' && random.chance(0.06) ? random.pick(['outing', 'travel']) : by.context;
  const rare = random.below(1000);
  const words = place.french ? 'fr' : 'en';
  const time = new Date(at).toISOString();
  return copyLine([
    family.id,
    random.uuid(),
    child.id,
    item,
    type,
    time,
    type === 'wipe_use' ? random.between(2, 5) : 1,
    context,
    by.name,
    random.chance(0.85),
    random.chance(0.35),
    random.chance(0.04),
    rare < 150 ? random.between(2, 5) : null,
    since === 0 ? null : clock(since),
    rare % 100 < 3 ? random.pick(NOTES[words]) : null,
    rare > 992 ? random.pick(HEALTH_NOTES[words]) : null,
    by.id,
    time,
    time,
  ]);
}

function usageType(percentile: number, night: boolean): string {
  if (night) return percentile < 88 ? 'overnight_change' : 'accident_cleanup';
  if (percentile < 74) return 'diaper_change';
  if (percentile < 84) return 'preventive_change';
  if (percentile < 90) return 'cream_application';
  if (percentile < 95) return 'wipe_use';
  return percentile < 98 ? 'clothing_change' : 'accident_cleanup';
}

/** Milliseconds as hours, minutes and seconds. */
function clock(duration: number): string {
  const minutes = Math.floor(duration / 60_000);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:00`;
}
