import { addAccounts } from './accounts.js';
import { type Calendar, DAY } from './calendar.js';
import { addChildren, type Child } from './children.js';
import { lastName } from './names.js';
import { addPeople, type Household } from './people.js';
import { placeOf } from './places.js';
import { Random } from './random.js';
import { noRows } from './rows.js';
import { addStock, type Stock } from './stock.js';

export interface SeededFamily extends Household {
  readonly children: readonly Child[];
  readonly stock: Stock;
}

export interface FamilyPlan {
  readonly seed: number;
  /** From 1, within the seed. */
  readonly number: number;
  /** Days of usage. */
  readonly days: number;
  /** The end of the usage, milliseconds since 1970. */
  readonly now: number;
  readonly calendar: Calendar;
}

/** One in so many is a daycare. */
const DAYCARE_EVERY = 24;
const FIRST_DAYCARE = 5;

/** A family with all its rows but the usage logs; the same for the same plan. */
export function makeFamily({ seed, number, days, now, calendar }: FamilyPlan): SeededFamily {
  const random = new Random(seed, number);
  const place = placeOf(random, number);
  const institution = number % DAYCARE_EVERY === FIRST_DAYCARE;
  const home: Household = {
    seed,
    number,
    random,
    id: random.uuid(),
    place,
    institution,
    lastName: lastName(random, place.french ? 'fr' : 'en'),
    createdAt: now - (days + random.between(30, 500)) * DAY,
    now,
    calendar,
    people: [],
    rows: noRows(),
  };
  addPeople(home);
  home.rows.families.push(familyRow(home));
  const children = addChildren(home);
  const stock = addStock(home, children);
  addAccounts(home);
  return { ...home, children, stock };
}

function familyRow({
  seed,
  number,
  random,
  id,
  place,
  institution,
  lastName: name,
  createdAt,
  people,
}: Household) {
  const created = new Date(createdAt);
  const daycare = place.french ? `CPE Les Petits ${name}` : `${name} Street Daycare`;
  const household = place.french ? `Famille ${name}` : name;
  return {
    id,
    name: institution ? daycare : household,
    family_type: institution ? 'institutional' : random.pick(['personal', 'personal', 'standard']),
    timezone: place.zone,
    province: place.province,
    // Where the next run of this seed goes on.
    settings: JSON.stringify({ seed: { seed, number } }),
    created_by: people[0]?.id ?? null,
    created_at: created,
    updated_at: created,
    archived_at: !institution && number > 13 && random.chance(0.02) ? new Date(createdAt + 20 * DAY) : null,
  };
}
