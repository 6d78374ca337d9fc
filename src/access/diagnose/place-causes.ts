import type { Blocker, Named, Wish } from './blockers.js';
import { type CauseWithoutId, cause } from './cause.js';
import { permissionOf, READING } from './expectation.js';
import type { DiagnosisFacts, FamilyFacts } from './facts.js';
import { roleGives } from './invitation-causes.js';
import { ROLES, type Role, type Step } from './step.js';

/** The child they look for stands in another family of somebody who looks after theirs. */
export function childCauses(facts: DiagnosisFacts, user: Named, wish: Wish): CauseWithoutId[] {
  return facts.elsewhere.flatMap(({ family_id, name, granted, beside, children, own_status }) => {
    const own = facts.families.find(({ family }) => family.id === beside);
    if (own?.membership == null || !roleGives(own, own.membership.role, wish)) return [];
    const { role } = own.membership;
    const step: Step = { does: 'member add', family: family_id, user: user.name, role: role as Role };
    return [
      cause(
        'child_in_other_family',
        `is a member of family ${own.family.name}, but the child is in another: ${name}`,
        {
          family: { id: family_id, name, granted },
          ...(own_status === null
            ? { steps: [step] }
            : { who: `whoever diagnoses that family: add --family ${family_id}` }),
          evidence: [
            `a family_core member of ${own.family.name} is family_core of both; ${children} ${children === 1 ? 'child' : 'children'} there`,
            own_status === null
              ? `they would be ${role} there too`
              : `their membership there is ${own_status}`,
          ],
          caution:
            'it opens all of that family to them: ask its family_core member first; if the child is in the wrong family, the child is to be moved instead',
        },
      ),
    ];
  });
}

/** Nothing ties them to the family. */
export function strangerCauses(
  facts: FamilyFacts,
  blockers: readonly Blocker[],
  user: Named,
  wish: Wish,
): CauseWithoutId[] {
  const { family, granted, membership, roles } = facts;
  if (membership != null) return [];
  const enough = ROLES.find((role) => givesAllRows(roles, role, wish));
  const first = blockers.flatMap(({ step }) => (step === null ? [] : [step]));
  return [
    cause('no_membership', `is no member of family ${family.name}`, {
      family: { id: family.id, name: family.name, granted },
      evidence: ['no membership, no invitation to this address, no other account that is a member'],
      ...(enough === undefined
        ? { who: 'nobody: no role gives all of this' }
        : {
            steps: [...first, { does: 'member add', family: family.id, user: user.name, role: enough }],
            caution: `only a family_core member can say that they belong there, and as what; ${enough} is the narrowest role that gives this`,
          }),
    }),
  ];
}

function givesAllRows(roles: FamilyFacts['roles'], role: Role, { named, expectations }: Wish): boolean {
  return (named ? expectations : READING).every((expectation) =>
    roles?.some(
      (known) =>
        known.role === role &&
        known.permission === permissionOf(expectation) &&
        (known.scope === 'all' || (expectation.command === 'insert' && known.scope === 'own')),
    ),
  );
}

/** They belong nowhere, and no family was named. */
export function nowhere(user: Named): CauseWithoutId {
  return cause('no_membership', 'belongs to no family, and no invitation waits for this address', {
    evidence: ['no membership, no invitation, no other account of theirs was found'],
    who: 'whoever knows the family of the complaint: name it with --family',
    afterwards: `diagnose again: nestctl access diagnose --user ${user.name} --family …`,
  });
}
