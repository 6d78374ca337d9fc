import { randomUUID } from 'node:crypto';
import { type Declaration, ROLES, type Role } from './declaration.js';

const STATUSES = ['active', 'invited', 'inactive', 'suspended', 'removed'] as const;
const EXPIRIES = ['none', 'future', 'past'] as const;
const ACCOUNTS = ['active', 'pending_verification', 'suspended', 'pending_deletion'] as const;

/** All that a membership's rights depend on. */
export interface Standing {
  readonly role: Role;
  readonly status: (typeof STATUSES)[number];
  readonly expiry: (typeof EXPIRIES)[number];
  readonly account: (typeof ACCOUNTS)[number];
  readonly archived: boolean;
  readonly granted: readonly string[];
  readonly denied: readonly string[];
  /** The resource of which alone a list names something: of other tables less is tried then. */
  readonly single?: string;
}

/** A person with one membership, in a family of its own. */
export interface Case extends Standing {
  readonly no: number;
  readonly person: string;
  readonly family: string;
  readonly membership: string;
}

/** Whether a case is one of those in which all of a table is tried. */
export const isFull = ({ single }: Standing, resource: string): boolean =>
  single === undefined || single === resource;

/** The neighbour of a case among those of its kind, on whose family it is tried to reach over. */
export function neighbour(cases: readonly Case[], one: Case, step: 1 | -1): Case {
  const kind = cases.filter(({ single }) => single === one.single);
  return kind[(kind.indexOf(one) + step + kind.length) % kind.length] as Case;
}

const PLAIN = { status: 'active', expiry: 'none', account: 'active', archived: false } as const;
const NO_LISTS = { granted: [], denied: [] } as const;

/**
 * Every standing of the small model: roles × statuses × expiries × archived or not; accounts in every state; every
 * permission granted, denied, and both, alone and all at once, the latter also where the membership does not count.
 */
export function standings(declaration: Declaration): Standing[] {
  const all: Standing[] = [];
  const both = [false, true] as const;
  for (const role of ROLES) {
    for (const status of STATUSES)
      for (const expiry of EXPIRIES)
        for (const archived of both) all.push({ ...PLAIN, ...NO_LISTS, role, status, expiry, archived });
    for (const account of ACCOUNTS.slice(1))
      for (const status of ['active', 'invited'] as const)
        for (const archived of both) all.push({ ...PLAIN, ...NO_LISTS, role, status, account, archived });
    const every = declaration.permissions;
    for (const [granted, denied] of [
      [every, []],
      [[], every],
      [every, every],
    ] as const)
      for (const barred of [
        {},
        { archived: true },
        { status: 'suspended' },
        { status: 'invited' },
        { expiry: 'past' },
        { account: 'suspended' },
      ] as const)
        all.push({ ...PLAIN, role, granted, denied, ...barred });
    for (const name of namesOf(declaration))
      for (const [granted, denied] of [
        [[name], []],
        [[], [name]],
        [[name], [name]],
      ] as const)
        all.push({ ...PLAIN, role, granted, denied, single: name.split(':')[0] as string });
  }
  return spread(all);
}

/** What lists of members may name: each permission, and `resource:write` for its writes. */
function namesOf({ permissions }: Declaration): string[] {
  const writes = permissions
    .filter((one) => !one.endsWith(':read'))
    .map((one) => `${one.split(':')[0]}:write`);
  return [...permissions, ...new Set(writes)];
}

/** Unlike ones next to each other, so that what is wrong shows early; always in the same order. */
function spread<T>(list: readonly T[]): T[] {
  let stride = Math.floor(list.length * 0.618) || 1;
  while (common(stride, list.length) !== 1) stride++;
  return list.map((_, at) => list[(at * stride) % list.length] as T);
}

const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));

export function makeCases(declaration: Declaration): Case[] {
  return standings(declaration).map((standing, no) => ({
    ...standing,
    no,
    person: randomUUID(),
    family: randomUUID(),
    membership: randomUUID(),
  }));
}

/** `professional, membership expired, usage:read granted`. */
export function describeStanding(standing: Standing): string {
  const { role, status, expiry, account, archived, granted, denied } = standing;
  const list = (names: readonly string[]) => (names.length > 3 ? 'every permission' : names.join(' and '));
  return [
    role,
    status === 'active' ? '' : `membership ${status}`,
    expiry === 'none' ? '' : expiry === 'past' ? 'membership expired' : 'membership that ends later',
    account === 'active' ? '' : `account ${account.replace('_', ' ')}`,
    archived ? 'family archived' : '',
    granted.length === 0 ? '' : `${list(granted)} granted`,
    denied.length === 0 ? '' : `${list(denied)} denied`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
