import { createHash } from 'node:crypto';
import { type Calendar, DAY } from './calendar.js';
import { firstName, type Generation, type Language, lastName, plainAscii } from './names.js';
import { type Place, phoneNumber } from './places.js';
import type { Random } from './random.js';
import type { Rows } from './rows.js';

export type Role = 'family_core' | 'extended_family' | 'professional' | 'institutional';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly language: Language;
  readonly phone: string;
  readonly role: Role;
  readonly joinedAt: number;
}

/** A family while its rows are made. Times are milliseconds since 1970 in UTC. */
export interface Household {
  readonly seed: number;
  /** From 1, within the seed. */
  readonly number: number;
  readonly random: Random;
  readonly id: string;
  readonly place: Place;
  readonly institution: boolean;
  readonly lastName: string;
  readonly createdAt: number;
  readonly now: number;
  readonly calendar: Calendar;
  readonly people: Person[];
  readonly rows: Rows;
}

/** The members, each with an account, and the invitations that brought them or are still out. */
export function addPeople(home: Household): void {
  const { random, institution } = home;
  add(home, 'family_core', 'older', home.lastName);
  if (random.chance(0.75)) add(home, 'family_core', 'older');
  if (institution) {
    for (let count = random.between(2, 4); count > 0; count--) add(home, 'professional', 'older');
  } else {
    for (let count = random.pick([0, 0, 1, 1, 2]); count > 0; count--) add(home, 'extended_family', 'elder');
    if (random.chance(0.25)) add(home, 'professional', 'older');
    if (random.chance(0.25)) add(home, 'institutional', 'older');
  }
  addInvitations(home);
}

function add(home: Household, role: Role, generation: Generation, family?: string): void {
  const { random, place, people, rows, now } = home;
  const french = random.chance(place.french ? 0.9 : 0.08);
  const language: Language = french ? 'fr' : 'en';
  const first = firstName(random, language, generation);
  const last =
    family ?? (random.chance(0.4) && role !== 'professional' ? home.lastName : lastName(random, language));
  const joinedAt = home.createdAt + (people.length === 0 ? 0 : random.between(1, 20) * (DAY / 3));
  // The address is new by construction: seed and number are in it, and a letter for each person of a family.
  const letter = String.fromCharCode(97 + people.length);
  const person: Person = {
    id: random.uuid(),
    email: `${plainAscii(first)}.${plainAscii(last)}.${home.seed}-${home.number}${letter}@example.ca`,
    firstName: first,
    lastName: last,
    language,
    phone: phoneNumber(random, place.areaCode),
    role,
    joinedAt,
  };
  people.push(person);
  rows.users.push(userRow(home, person));
  rows.family_members.push({
    family_id: home.id,
    id: random.uuid(),
    user_id: person.id,
    role,
    denied_permissions: role === 'extended_family' && random.chance(0.1) ? ['emergency:read'] : [],
    granted_permissions: role === 'professional' && random.chance(0.2) ? ['inventory:read'] : [],
    status: people.length === 1 ? 'active' : random.weighted(MEMBER_STATES),
    joined_at: new Date(joinedAt),
    access_expires_at: role === 'family_core' ? null : expiry(random, joinedAt, now),
    invited_by: people.length === 1 ? null : (people[0] as Person).id,
    created_by: (people[0] as Person).id,
    created_at: new Date(joinedAt),
    updated_at: new Date(joinedAt),
  });
}

const MEMBER_STATES = [
  ['active', 92],
  ['inactive', 3],
  ['suspended', 2],
  ['removed', 3],
] as const;

/** Most access is open-ended; some has run out, some soon will. */
function expiry(random: Random, joinedAt: number, now: number): Date | null {
  const kind = random.weighted([
    ['never', 50],
    ['expired', 18],
    ['soon', 14],
    ['later', 18],
  ] as const);
  switch (kind) {
    case 'never':
      return null;
    case 'expired':
      return new Date(Math.max(joinedAt + DAY / 24, now - random.between(1, 60) * DAY));
    case 'soon':
      return new Date(now + random.between(1, 14) * DAY);
    case 'later':
      return new Date(now + random.between(30, 365) * DAY);
  }
}

function userRow(home: Household, person: Person) {
  const { random, place, now, people } = home;
  const status =
    people.length === 1
      ? 'active'
      : random.weighted([
          ['active', 92],
          ['pending_verification', 4],
          ['suspended', 2],
          ['pending_deletion', 2],
        ] as const);
  const joined = new Date(person.joinedAt);
  const verified = status === 'pending_verification' ? null : joined;
  return {
    id: person.id,
    email: person.email,
    first_name: person.firstName,
    last_name: person.lastName,
    display_name: `${person.firstName} ${person.lastName}`,
    phone_number: person.phone,
    status,
    email_verified_at: verified,
    last_login_at: verified && new Date(Math.max(person.joinedAt, now - random.below(20 * DAY))),
    privacy_policy_accepted_at: joined,
    terms_of_service_accepted_at: joined,
    marketing_consent: random.chance(0.3),
    analytics_consent: random.chance(0.6),
    timezone: place.zone,
    language: person.language,
    province: place.province,
    postal_code: place.postalCode,
    data_deletion_requested_at:
      status === 'pending_deletion' ? new Date(now - random.between(1, 29) * DAY) : null,
    created_at: joined,
    updated_at: joined,
  };
}

function addInvitations(home: Household): void {
  const { random, people, place } = home;
  for (const person of people.slice(1)) {
    if (random.chance(0.7)) addInvitation(home, 'accepted', person.role, person);
  }
  for (let count = random.pick([0, 0, 1, 1, 2]); count > 0; count--) {
    const state = random.pick(['pending', 'expired', 'revoked'] as const);
    addInvitation(
      home,
      state,
      place.french ? 'extended_family' : random.pick(['extended_family', 'professional']),
    );
  }
}

type InvitationState = 'pending' | 'accepted' | 'expired' | 'revoked';

function addInvitation(home: Household, status: InvitationState, role: Role, person?: Person): void {
  const { random, now, rows, place } = home;
  const sent =
    person?.joinedAt === undefined
      ? now - (status === 'pending' ? random.below(6 * DAY) : 7 * DAY + random.below(20 * DAY))
      : person.joinedAt - DAY / 4;
  const language: Language = place.french ? 'fr' : 'en';
  const guest = `${plainAscii(firstName(random, language, 'elder'))}.${home.seed}-${home.number}`;
  const inviter = (home.people[0] as Person).id;
  rows.family_invitations.push({
    family_id: home.id,
    id: random.uuid(),
    email: person?.email ?? `${guest}.${rows.family_invitations.length}@example.ca`,
    role,
    token_hash: createHash('sha256').update(random.uuid()).digest(),
    invited_by: inviter,
    status,
    expires_at: new Date(sent + 7 * DAY),
    accepted_at: status === 'accepted' && person !== undefined ? new Date(person.joinedAt) : null,
    accepted_by: person?.id ?? null,
    created_by: inviter,
    created_at: new Date(sent),
    updated_at: new Date(person?.joinedAt ?? sent),
  });
}
