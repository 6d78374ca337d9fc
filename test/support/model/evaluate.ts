import {
  type Command,
  declarationOf,
  isFamilyTable,
  PERMISSIONS,
  permission,
  type Role,
  type Scope,
  type Table,
  USER_TABLES,
} from './access-table.js';
import type { Family, Membership, Person, Row, World } from './world.js';
import { localDay } from './zones.js';

/** Role and lists of a membership, of one there is or of one that somebody would like to give. */
export interface Terms {
  readonly role: Role;
  readonly granted: readonly string[];
  readonly denied: readonly string[];
}

type Facts = Pick<Row, 'table' | 'family' | 'person' | 'createdBy' | 'at'>;

/** Says what a person may do, from the declared access table alone. `now` in milliseconds. */
export class Evaluator {
  readonly #people: ReadonlyMap<string, Person>;
  readonly #families: ReadonlyMap<string, Family>;
  readonly #memberships = new Map<string, Map<string, Membership>>();
  now: number;

  constructor(world: World) {
    this.now = world.now;
    this.#people = new Map(world.people.map((person) => [person.id, person]));
    this.#families = new Map(world.families.map((family) => [family.id, family]));
    for (const one of world.memberships) {
      const ofPerson = this.#memberships.get(one.person) ?? new Map<string, Membership>();
      this.#memberships.set(one.person, ofPerson.set(one.family, one));
    }
  }

  /** Whether one command alone may touch the row; an insert, whether the row may be as it is. */
  may(person: string | undefined, command: Command, row: Facts): boolean {
    if (row.table === 'role_permissions') return command === 'select';
    if (person === undefined) return false;
    if (row.table === 'families' && command === 'insert') {
      return row.createdBy === person && this.#people.get(person)?.status === 'active';
    }
    if (isFamilyTable(row.table)) return this.#mayInFamily(person, command, row);
    return row.person === person && (USER_TABLES[row.table] as readonly Command[]).includes(command);
  }

  #mayInFamily(person: string, command: Command, row: Facts): boolean {
    const membership = this.membership(person, row.family);
    if (membership === undefined || !this.counts(membership)) return false;
    const family = this.#families.get(membership.family);
    if (family?.archived !== false && !(membership.role === 'family_core' && command === 'select'))
      return false;
    if (command === 'insert' && row.createdBy !== person) return false;
    const today = () => localDay(family?.zone ?? '', row.at ?? 0) === localDay(family?.zone ?? '', this.now);
    switch (scopeOf(membership, row.table, command)) {
      case 'all':
        return true;
      case 'own':
        return row.createdBy === person;
      case 'today':
        return today();
      case 'today_own':
        return row.createdBy === person && today();
      case 'self':
        return row.person === person;
      case undefined:
        return false;
    }
  }

  membership(person: string, family: string | undefined): Membership | undefined {
    return this.#memberships.get(person)?.get(family ?? '');
  }

  /** Active, not expired, of a person who is neither suspended nor about to be deleted. */
  counts(membership: Membership): boolean {
    const status = this.#people.get(membership.person)?.status;
    return (
      membership.status === 'active' &&
      (membership.expires === undefined || membership.expires > this.now) &&
      status !== 'suspended' &&
      status !== 'pending_deletion'
    );
  }

  /** Nothing can be given above the giver's own. */
  mayGive(person: string, family: string, terms: Terms): boolean {
    const own = this.membership(person, family);
    if (own === undefined) return false;
    return PERMISSIONS.every(({ table, command }) => {
      const given = scopeOf(terms, table, command);
      return given === undefined || covers(scopeOf(own, table, command), given);
    });
  }

  /** Whose profile a person sees: those with whom they share a family they may read. */
  profiles(person: string, world: World): Set<string> {
    const readable = new Set(
      world.families
        .filter((family) => this.may(person, 'select', { table: 'families', family: family.id }))
        .map((family) => family.id),
    );
    return new Set(
      world.memberships
        .filter((one) => readable.has(one.family) && this.counts(one))
        .map((one) => one.person),
    );
  }
}

function scopeOf(terms: Terms, table: Table, command: Command): Scope | undefined {
  if (!isFamilyTable(table)) return undefined;
  // Only what some role has at all can be granted.
  if (!PERMISSIONS.some((one) => one.table === table && one.command === command)) return undefined;
  const named = (list: readonly string[]) =>
    list.includes(permission(table, command)) ||
    (command !== 'select' && list.includes(`${declarationOf(table).resource}:write`));
  if (named(terms.denied)) return undefined;
  if (named(terms.granted)) return 'all';
  return declarationOf(table).roles[terms.role][command];
}

function covers(own: Scope | undefined, given: Scope): boolean {
  if (own === undefined) return false;
  return own === 'all' || own === given || (given === 'today_own' && (own === 'own' || own === 'today'));
}
