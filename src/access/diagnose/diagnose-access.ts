import type { Session } from '../../platform/database/session.js';
import { coverPerson, findPerson } from '../explain/find-person.js';
import { membershipFacts, membershipTruth } from '../explain/membership-steps.js';
import type { AccessWish } from '../open-access.js';
import { askDiagnosis } from './ask-diagnosis.js';
import { askPolicies } from './ask-policies.js';
import type { Wish } from './blockers.js';
import type { Cause } from './cause.js';
import { BY_ROLE, type Expectation, permissionOf, phraseOf, READING } from './expectation.js';
import type { DiagnosisFacts, FamilyFacts } from './facts.js';
import { findCauses } from './find-causes.js';

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
  const question: Wish = { named, expectations };
  const causes = findCauses(facts, question, wish.child !== undefined);
  return {
    person: { id: facts.person.id, email: facts.person.email },
    expected: expectations.map(phraseOf),
    causes: causes.length > 0 ? causes : await askPolicies(session, facts, purpose),
    permitted: permitted(facts),
    unexplained: facts.families.flatMap((family) => differing(family, facts, question)),
  };
}

function permitted({ families, decided }: DiagnosisFacts): Diagnosis['permitted'] {
  return families.flatMap(({ family: { id, name }, membership }) => {
    if (membership == null) return [];
    const permissions = Object.keys(decided).filter((permission) => decided[permission]?.includes(id));
    return [{ family: id, name, role: membership.role, permissions }];
  });
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
