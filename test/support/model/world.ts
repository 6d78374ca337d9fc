import { PERMISSION_NAMES, ROLES, type Role, type Table } from './access-table.js';
import type { Random } from './random.js';
import { makeRows } from './rows.js';

export interface Person {
  readonly id: string;
  readonly status: 'active' | 'suspended' | 'pending_deletion' | 'pending_verification';
}

export interface Family {
  readonly id: string;
  readonly zone: string;
  readonly archived: boolean;
  readonly children: readonly string[];
}

export interface Membership {
  readonly id: string;
  readonly family: string;
  readonly person: string;
  readonly role: Role;
  readonly status: 'active' | 'invited' | 'inactive' | 'suspended' | 'removed';
  /** Milliseconds. */
  readonly expires: number | undefined;
  readonly granted: readonly string[];
  readonly denied: readonly string[];
}

/** A row as far as access to it depends on it, and all the values to write it with. */
export interface Row {
  readonly table: Table;
  /** The id; for role_permissions its key. */
  readonly key: string;
  /** Whose it is, in tables that a family owns. */
  readonly family?: string;
  /** Whose it is, in tables that a person owns, and whom a membership is of. */
  readonly person?: string;
  readonly createdBy?: string | null;
  /** Event time, milliseconds. */
  readonly at?: number;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface World {
  /** When it was made, milliseconds of the server's clock. */
  readonly now: number;
  readonly people: readonly Person[];
  readonly families: readonly Family[];
  readonly memberships: readonly Membership[];
  readonly rows: readonly Row[];
}

export interface WorldSize {
  readonly people: number;
  readonly families: number;
}

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** A random world: zones are those on which Node's and the server's calendars agree. */
export function makeWorld(random: Random, now: number, zones: readonly string[], size: WorldSize): World {
  const people = Array.from(
    { length: size.people },
    (_, at): Person => ({
      id: random.uuid(),
      // The first ones, so that each status is there whatever the seed.
      status:
        (['active', 'suspended', 'pending_deletion', 'pending_verification'] as const)[at] ??
        random.weighted({ active: 76, suspended: 8, pending_deletion: 8, pending_verification: 8 }),
    }),
  );
  const families = Array.from(
    { length: size.families },
    (_, at): Family => ({
      id: random.uuid(),
      zone: zones[at % zones.length] as string,
      archived: at === 1 || random.chance(0.12),
      children: Array.from({ length: random.between(1, 2) }, () => random.uuid()),
    }),
  );
  const memberships = families.flatMap((family) =>
    random.some(people, random.between(3, 6)).map((person) => makeMembership(random, now, family, person)),
  );
  const partial = { now, people, families, memberships };
  return { ...partial, rows: makeRows(random, partial) };
}

function makeMembership(random: Random, now: number, family: Family, person: Person): Membership {
  const names = (most: number) =>
    random.chance(0.4) ? random.some(PERMISSION_NAMES, random.between(1, most)) : [];
  const granted = names(6);
  // A denial of what is granted too, since the denial wins.
  const denied = [...names(3), ...(granted.length > 0 && random.chance(0.5) ? [random.pick(granted)] : [])];
  const expires = random.weighted({ never: 6, past: 2, future: 2 });
  return {
    id: random.uuid(),
    family: family.id,
    person: person.id,
    role: random.chance(0.15) ? 'family_core' : random.pick(ROLES),
    status: random.weighted({ active: 80, invited: 5, inactive: 5, suspended: 5, removed: 5 }),
    expires:
      expires === 'never'
        ? undefined
        : expires === 'past'
          ? now - random.pick([1, MINUTE, DAY])
          : now + random.pick([60 * MINUTE, 30 * DAY]),
    granted,
    denied: [...new Set(denied)],
  };
}
