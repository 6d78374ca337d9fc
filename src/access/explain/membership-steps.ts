import type { Fact, Value } from './fact.js';
import type { MembershipFacts, Wanted } from './membership.js';
import type { Truth } from './truth.js';

const COST = { membership: 1, permission: 2, closed: 6 } as const;
const ROWS: Readonly<Record<string, string>> = {
  all: 'all rows',
  own: 'their own rows',
  today: "today's rows",
  today_own: 'their own rows of today',
  self: 'themselves',
};

/** What private.member_families looks at, fact by fact. All must hold for the row's family to be among its answer. */
export function membershipFacts(known: MembershipFacts, wanted: Wanted): Fact[] {
  const { membership } = known;
  return [
    ...(membership == null ? [noMembership(known)] : membershipState(membership)),
    account(known.account),
    archive(known, wanted.permission),
    scope(known, wanted),
  ];
}

/** What the helper says in a world: the facts above, the last by the scopes wanted. */
export function membershipTruth(facts: readonly Fact[], wanted: Wanted, value: (fact: Fact) => Value): Truth {
  return facts.every((fact) => {
    const is = value(fact);
    return typeof is === 'string'
      ? is === 'scope:*' || wanted.scopes.includes(is.slice('scope:'.length))
      : is === true;
  });
}

function noMembership({ family, invitation }: MembershipFacts): Fact {
  const invited =
    invitation == null || invitation.status === 'accepted'
      ? ''
      : `; their invitation is ${invitation.status}`;
  return {
    key: 'membership',
    value: false,
    text: `no membership in the family ${family?.name ?? ''}`.trimEnd() + invited,
    changes: [{ to: true, would: 'they were a member with a role that gives it' }],
    cost: COST.membership,
  };
}

function membershipState(membership: NonNullable<MembershipFacts['membership']>): Fact[] {
  const { status, expired, access_expires_at: until, joined_at } = membership;
  const active = status === 'active';
  return [
    {
      key: 'membership.status',
      value: active,
      text: active
        ? `membership active${joined_at === null ? '' : ` since ${day(joined_at)}`}`
        : `membership ${status}`,
      changes: active ? [] : [{ to: true, would: 'the membership were active' }],
      cost: COST.membership,
    },
    {
      key: 'membership.expiry',
      value: !expired,
      text:
        until === null
          ? 'membership without an end'
          : expired
            ? `membership expired ${day(until)}`
            : `membership until ${day(until)}`,
      changes: expired ? [{ to: true, would: 'the membership had not expired' }] : [],
      cost: COST.membership,
    },
  ];
}

function account(status: string | null): Fact {
  const shut = status === 'suspended' || status === 'pending_deletion';
  const said =
    status === 'pending_deletion' ? 'about to be deleted' : (status ?? 'missing').replaceAll('_', ' ');
  return {
    key: 'account',
    value: status !== null && !shut,
    text: `account ${said}`,
    changes: shut
      ? [
          {
            to: true,
            would:
              status === 'suspended'
                ? 'the account were not suspended'
                : 'the account were not about to be deleted',
          },
        ]
      : [],
    cost: status === 'suspended' ? COST.membership : COST.closed,
  };
}

/** An archived family is open to its core members, and to them only for reading. */
function archive({ family, membership }: MembershipFacts, permission: string): Fact {
  const archived = family?.archived_at ?? null;
  const open = archived === null || (membership?.role === 'family_core' && permission.endsWith(':read'));
  return {
    key: permission.endsWith(':read') ? 'family.archive' : 'family.archive.write',
    value: open,
    text:
      archived === null
        ? 'family not archived'
        : `family archived ${day(archived)}${open ? ', open to core members for reading' : ''}`,
    changes: open ? [] : [{ to: true, would: 'the family were not archived' }],
    cost: COST.membership,
  };
}

function scope({ membership, scopes }: MembershipFacts, { permission }: Wanted): Fact {
  const facts = scopes?.[permission];
  if (membership == null || facts === undefined) {
    // Whoever makes them a member chooses a role that gives it.
    return {
      key: `permission:${permission}`,
      value: 'scope:*',
      text: `${permission} by the role to be given`,
      changes: [],
      cost: 0,
    };
  }
  const given = facts.scope;
  const by = facts.granted ? 'a permission of this member' : `role ${membership.role}`;
  return {
    key: `permission:${permission}`,
    value: `scope:${given ?? 'none'}`,
    text: facts.denied
      ? `${permission} is denied to this member`
      : given === null
        ? `role ${membership.role} does not give ${permission}`
        : `${by} gives ${permission}${given === 'all' ? '' : `, for ${ROWS[given] ?? given} only`}`,
    changes:
      given === 'all'
        ? []
        : [
            {
              to: 'scope:all',
              would: facts.denied
                ? `${permission} were not denied to them`
                : `their role gave ${permission} for all rows`,
            },
          ],
    cost: COST.permission,
  };
}

/** `2026-11-01` in UTC, of a timestamp that the database wrote as JSON. */
export function day(timestamp: string): string {
  return new Date(timestamp).toISOString().slice(0, 10);
}
