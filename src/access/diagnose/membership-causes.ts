import { day } from '../explain/membership-steps.js';
import { type Blocker, type Named, sinceWhen, stepsOf, type Wish } from './blockers.js';
import { type CauseKind, type CauseWithoutId, cause } from './cause.js';
import { permissionOf, READING } from './expectation.js';
import type { FamilyFacts } from './facts.js';
import { permitting } from './permitting.js';

const OWN_DECISION = 'a family decides this itself: ask a family_core member first, not only the caller';

/** What bars somebody who is or was a member, in the order of its weight. Each names all that has to be mended. */
export function membershipCauses(
  facts: FamilyFacts,
  blockers: readonly Blocker[],
  now: string,
): CauseWithoutId[] {
  const { membership, family, granted, others } = facts;
  if (membership == null) return [];
  const steps = stepsOf(blockers);
  const common = {
    family: { id: family.id, name: family.name, granted },
    evidence: [standing(facts), ...blockers.map(({ text }) => text)],
    steps: steps ?? [],
    since: facts.changed_at,
  };
  return blockers.flatMap(({ kind, text }): CauseWithoutId[] => {
    switch (kind) {
      case 'status':
        return membership.status === 'invited' ? [] : [ended(facts, common)];
      case 'archive':
        return [
          cause(
            'family_archived',
            `family ${family.name} was archived ${sinceWhen(family.archived_at ?? now, now)}`,
            {
              ...common,
              since: family.archived_at,
              caution: `restoring opens it again to its ${others} other active members too; ask a family_core member first`,
            },
          ),
        ];
      case 'expiry': {
        const until = membership.access_expires_at ?? now;
        return [
          cause('access_expired', `access to family ${family.name} ended ${sinceWhen(until, now)}`, {
            ...common,
            since: until,
          }),
        ];
      }
      case 'permission_denied':
      case 'role_too_low':
        return [
          cause(kind, `in family ${family.name}, ${text}`, {
            ...common,
            caution:
              kind === 'permission_denied' ? OWN_DECISION : `${roleThatGives(facts, text)}${OWN_DECISION}`,
          }),
        ];
      default:
        return [];
    }
  });
}

function ended(facts: FamilyFacts, common: Partial<CauseWithoutId>): CauseWithoutId {
  const { membership, family } = facts;
  const kind: CauseKind = membership?.status === 'removed' ? 'membership_removed' : 'membership_suspended';
  const when = facts.changed_at === null ? '' : `, last changed ${day(facts.changed_at)}`;
  return cause(kind, `membership in family ${family.name} is ${membership?.status}${when}`, {
    ...common,
    caution: OWN_DECISION,
  });
}

/** A role that would do as well, for whoever rather gives that. */
function roleThatGives({ roles }: FamilyFacts, text: string): string {
  const permission = /gives (\S+)/.exec(text)?.[1];
  const role = ['professional', 'extended_family', 'family_core'].find((one) =>
    roles?.some((known) => known.role === one && known.permission === permission && known.scope === 'all'),
  );
  return role === undefined
    ? ''
    : `role ${role} gives it too, with all else of that role (member set-role); `;
}

/** An institution sees the log of the current day in the family's zone; that is meant so, and yet a complaint. */
export function dayLimit(facts: FamilyFacts, user: Named, wish: Wish): CauseWithoutId[] {
  const { membership, family, granted, scopes, logs } = facts;
  const limited = (wish.named ? wish.expectations : READING).filter((expectation) =>
    scopes?.[permissionOf(expectation)]?.scope?.startsWith('today'),
  );
  if (membership == null || limited.length === 0) return [];
  const last =
    logs === null || logs.last === null
      ? 'the family has no log yet'
      : `the last log is of ${logs.last_day} there${logs.last_day === logs.today ? '' : ', another day'}`;
  return [
    cause(
      'day_limit',
      `as ${membership.role} of family ${family.name} they see the log of the current day only`,
      {
        family: { id: family.id, name: family.name, granted },
        since: logs !== null && logs.last_day !== logs.today ? logs.last : null,
        evidence: [
          standing(facts),
          `the day is that of ${family.timezone}: ${logs?.today ?? '?'}, since ${logs?.today_begins.slice(0, 16).replace('T', ' ') ?? '?'} UTC`,
          last,
        ],
        steps: [
          {
            does: 'member set-permissions',
            family: family.id,
            user: user.name,
            ...permitting(
              membership,
              scopes,
              limited.map((expectation) => ({ permission: permissionOf(expectation), scopes: ['all'] })),
            ),
          },
        ],
        caution: `the limit is meant for institutions; ${OWN_DECISION}`,
      },
    ),
  ];
}

export function standing({ membership, family }: Pick<FamilyFacts, 'membership' | 'family'>): string {
  if (membership == null) return `no membership in family ${family.name}`;
  const since = membership.joined_at === null ? '' : ` since ${day(membership.joined_at)}`;
  return `${membership.role}, membership ${membership.status}${since}`;
}
