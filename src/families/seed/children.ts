import { DAY, isoDay } from './calendar.js';
import { stageAt, stagesUntil } from './growth.js';
import { healthCardNumber } from './health-cards.js';
import { firstName, lastName } from './names.js';
import type { Household, Person } from './people.js';
import { phoneNumber } from './places.js';

export interface Child {
  readonly id: string;
  readonly name: string;
  readonly girl: boolean;
  /** Day of birth, in days since 1970-01-01. */
  readonly born: number;
  /** Today. */
  readonly ageDays: number;
  /** Today; null where none are worn. */
  readonly size: string | null;
}

/** Children with what is kept of their growth, and whom to call in an emergency. */
export function addChildren(home: Household): Child[] {
  const { random, institution } = home;
  const count = institution ? random.between(6, 12) : random.weighted(COUNTS);
  return Array.from({ length: count }, (_, at) => {
    // The first is why they use the app; siblings may have outgrown it.
    const child = newChild(
      home,
      at === 0 || institution ? random.between(20, 1050) : random.between(20, 2900),
    );
    addChild(home, child);
    addEmergencyProfile(home, child);
    return child;
  });
}

const COUNTS = [
  [1, 60],
  [2, 32],
  [3, 8],
] as const;

function newChild(home: Household, ageDays: number): Child {
  const { random, place, now, calendar } = home;
  return {
    id: random.uuid(),
    name: firstName(random, place.french ? 'fr' : 'en', 'child'),
    girl: random.chance(0.5),
    born: calendar.day(place.zone, now) - ageDays,
    ageDays,
    size: stageAt(ageDays).size,
  };
}

function addChild(home: Household, child: Child): void {
  const { random, place, rows, id } = home;
  const stage = stageAt(child.ageDays);
  const lived = stagesUntil(child.ageDays);
  const scale = 0.9 + random.below(200) / 1000;
  const measured = (days: number) => isoDay(child.born + days);
  const allergic = random.chance(0.12);
  const created = new Date(Math.max(home.createdAt, child.born * DAY + DAY));
  rows.children.push({
    family_id: id,
    id: child.id,
    name: child.name,
    date_of_birth: isoDay(child.born),
    gender: random.chance(0.03) ? 'undisclosed' : child.girl ? 'girl' : 'boy',
    province: place.province,
    current_diaper_size: child.size,
    size_history: JSON.stringify(
      lived
        .filter((one) => one.stage.size !== null)
        .map(({ stage: { size }, fromDays }) => ({ size, from: measured(fromDays) })),
    ),
    daily_usage_count: Math.round(stage.changesADay),
    current_weight_kg: (stage.weightKg * scale).toFixed(2),
    current_height_cm: (stage.heightCm * (0.5 + scale / 2)).toFixed(1),
    weight_history: JSON.stringify(
      lived.map(({ stage: { weightKg }, fromDays }) => ({
        kg: Number((weightKg * scale).toFixed(2)),
        on: measured(fromDays),
      })),
    ),
    special_needs: random.chance(0.04)
      ? place.french
        ? 'Suivi en physiothérapie'
        : 'Sees a physiotherapist'
      : null,
    has_sensitive_skin: random.chance(0.25),
    has_allergies: allergic,
    allergies_notes: allergic ? random.pick(place.french ? ALLERGIES.fr : ALLERGIES.en) : null,
    created_by: (home.people[0] as Person).id,
    created_at: created,
    updated_at: created,
  });
}

const ALLERGIES = {
  en: ['Peanuts', 'Cow milk protein', 'Latex', 'Eggs', 'Fragrance in wipes'],
  fr: ['Arachides', 'Protéines de lait de vache', 'Latex', 'Œufs', 'Lingettes parfumées'],
} as const;

function addEmergencyProfile(home: Household, child: Child): void {
  const { random, place, rows, people } = home;
  const contact = people[people.length > 2 ? random.below(people.length) : 0] as Person;
  const relationship = {
    family_core: 'parent',
    extended_family: 'grandparent',
    professional: 'caregiver',
    institutional: 'educator',
  };
  const epipen = random.chance(0.04);
  const created = new Date(Math.max(home.createdAt, child.born * DAY + DAY));
  rows.emergency_profiles.push({
    family_id: home.id,
    id: random.uuid(),
    child_id: child.id,
    contact_name: `${contact.firstName} ${contact.lastName}`,
    relationship: relationship[contact.role],
    phone_primary: contact.phone,
    phone_secondary: random.chance(0.5) ? phoneNumber(random, place.areaCode) : null,
    can_pickup: random.chance(0.8),
    can_make_medical_decisions: contact.role === 'family_core',
    speaks_french: contact.language === 'fr' || random.chance(0.3),
    speaks_english: contact.language === 'en' || random.chance(0.6),
    blood_type: random.weighted(BLOOD_TYPES),
    allergies: epipen ? (place.french ? 'Arachides' : 'Peanuts') : null,
    has_epipen: epipen,
    medications: random.chance(0.08) ? 'Salbutamol' : null,
    medical_conditions: random.chance(0.08) ? (place.french ? 'Asthme' : 'Asthma') : null,
    health_card_number: healthCardNumber(random, place.province, {
      firstName: child.name,
      lastName: home.lastName,
      dateOfBirth: isoDay(child.born),
      girl: child.girl,
    }),
    health_card_province: place.province,
    health_card_expiry: isoDay(child.born + 365 * 5),
    provider_name: `Dr ${lastName(random, place.french ? 'fr' : 'en')}`,
    provider_clinic: place.french ? 'Clinique pédiatrique du Parc' : 'Lakeside Pediatrics',
    provider_phone: phoneNumber(random, place.areaCode),
    created_by: (people[0] as Person).id,
    created_at: created,
    updated_at: created,
  });
}

/** Per cent, as Canadian Blood Services gives them. */
const BLOOD_TYPES = [
  ['O+', 39],
  ['A+', 36],
  ['B+', 8],
  ['AB+', 2],
  ['O-', 7],
  ['A-', 6],
  ['B-', 1],
  ['AB-', 1],
] as const;
