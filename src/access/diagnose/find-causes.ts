import { accountCauses } from './account-causes.js';
import { blockersOf, type Named, type Wish } from './blockers.js';
import type { Cause, CauseWithoutId } from './cause.js';
import type { DiagnosisFacts } from './facts.js';
import { invitationCauses } from './invitation-causes.js';
import { dayLimit, membershipCauses } from './membership-causes.js';
import { otherAccountCauses } from './other-account-causes.js';
import { childCauses, nowhere, strangerCauses } from './place-causes.js';
import { rankCauses } from './rank-causes.js';

/** Every known cause that the facts bear out, the likeliest first. */
export function findCauses(facts: DiagnosisFacts, wish: Wish, childSought: boolean): Cause[] {
  const { person, families } = facts;
  // An address of other letters may not survive being copied.
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
  return rankCauses(found, healthy);
}
