import type { Session } from '../../platform/database/session.js';
import { coverPerson, findPerson } from '../explain/find-person.js';
import { membershipFacts, membershipTruth } from '../explain/membership-steps.js';
import type { AccessWish } from '../open-access.js';
import { accountCauses } from './account-causes.js';
import { askDiagnosis } from './ask-diagnosis.js';
import { blockersOf, type Named, type Wish } from './blockers.js';
import type { Cause, CauseWithoutId } from './cause.js';
import { BY_ROLE, type Expectation, permissionOf, phraseOf, READING } from './expectation.js';
import type { DiagnosisFacts, FamilyFacts } from './facts.js';
import { invitationCauses } from './invitation-causes.js';
import { dayLimit, membershipCauses } from './membership-causes.js';
import { otherAccountCauses } from './other-account-causes.js';
import { childCauses, nowhere, strangerCauses } from './place-causes.js';
import { rankCauses } from './rank-causes.js';

export interface DiagnosisWish {
  /** The person: an id or a whole e-mail address. */
  readonly user: string;
  /** The family of the complaint; any of theirs where absent. */
  readonly family?: string | undefined;
  /** What they expect to be able to do; where absent, what members of their role commonly do. */
  readonly expects?: readonly Expectation[] | undefined;
  /** The name of a child they look for. */
  readonly child?: string | undefined;
}

/** Why somebody cannot see what they expect; plain data. */
export interface Diagnosis {
  readonly person: { readonly id: string; readonly email: string };
  /** What they were taken to expect, in words. */
  readonly expected: readonly string[];
  /** The likeliest first; empty where nothing stands in the way. */
  readonly causes: readonly Cause[];
  /** What the policies give them at this moment: permissions by family. */
  readonly permitted: readonly {
    readonly family: string;
    readonly name: string;
    readonly role: string;
    readonly permissions: readonly string[];
  }[];
  /** Where the database decides otherwise than its facts explain: nothing said here is sure then. */
  readonly unexplained: readonly string[];
}

/**
 * Why somebody cannot see or do what they expect, as the database decides it at this moment. The question is on record
 * before it is answered. Needs live grants that cover the person, and the family where one is named, and opens them
 * where the purpose has reason and ticket. Throws `not_found`, `no_grant`.
 */
export async function diagnoseAccess(
  session: Session,
  wish: DiagnosisWish,
  purpose: AccessWish,
): Promise<Diagnosis> {
  const person = await findPerson(session, wish.user, purpose);
  await coverPerson(session, person, wish.family, purpose);
  const named = wish.expects !== undefined && wish.expects.length > 0;
  const expectations = named ? (wish.expects ?? []) : [...READING, ...BY_ROLE];
  const facts = await askDiagnosis(session, {
    person,
    family: wish.family,
    permissions: [...new Set(expectations.map(permissionOf))],
    child: wish.child,
  });
  return conclude(facts, { named, expectations }, wish.child !== undefined);
}

function conclude(facts: DiagnosisFacts, wish: Wish, childSought: boolean): Diagnosis {
  const { person, families } = facts;
  const user: Named = { id: person.id, name: /^[\x21-\x7e]+$/.test(person.email) ? person.email : person.id };
  const all = families.map((family) => ({ family, blockers: blockersOf(family, user, wish) }));
  const healthy = all.some(
    ({ family, blockers }) => family.membership != null && blockers.every(({ kind }) => kind === 'account'),
  );
  const accounts = otherAccountCauses(facts, user, wish);
  const groups = all.map(({ family, blockers }): CauseWithoutId[] => {
    const barring = [
      ...accounts.filter((one) => one.family?.id === family.family.id),
      ...membershipCauses(family, blockers, facts.now),
      ...invitationCauses(family, person, blockers, wish, facts.now),
    ];
    if (barring.length > 0) return barring;
    return blockers.length === 0
      ? dayLimit(family, user, wish)
      : strangerCauses(family, blockers, user, wish);
  });
  const known = new Set(families.map(({ family }) => family.id));
  const elsewhere = accounts.filter((one) => !known.has(one.family?.id ?? ''));
  const found = [...accountCauses(facts).map((one) => [one]), ...groups, ...elsewhere.map((one) => [one])];
  if (childSought || healthy) found.push(childCauses(facts, user, wish));
  if (families.length === 0 && found.flat().length === 0) found.push([nowhere(user)]);
  return {
    person: { id: person.id, email: person.email },
    expected: wish.expectations.map(phraseOf),
    causes: rankCauses(found, healthy),
    permitted: families.flatMap(({ family, membership }) =>
      membership == null
        ? []
        : [
            {
              family: family.id,
              name: family.name,
              role: membership.role,
              permissions: Object.entries(facts.decided)
                .filter(([, there]) => there.includes(family.id))
                .map(([permission]) => permission),
            },
          ],
    ),
    unexplained: families.flatMap((family) => differing(family, facts, wish)),
  };
}

/** Permissions of which the policies' helper says otherwise than the facts it looks at. */
function differing(family: FamilyFacts, facts: DiagnosisFacts, { expectations }: Wish): string[] {
  const permissions = [...new Set(expectations.map(permissionOf))];
  return permissions.flatMap((permission) => {
    const wanted = { permission, scopes: ['all', 'own', 'today', 'today_own', 'self'] };
    const said = membershipTruth(membershipFacts(family, wanted), wanted, ({ value }) => value) === true;
    const decided = facts.decided[permission]?.includes(family.family.id) === true;
    return said === decided
      ? []
      : [`${permission} in family ${family.family.name}: ${decided ? 'given' : 'refused'}`];
  });
}
