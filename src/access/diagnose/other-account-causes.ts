import { day } from '../explain/membership-steps.js';
import { blockersOf, type Named, stepsOf, type Wish } from './blockers.js';
import { type CauseWithoutId, cause } from './cause.js';
import type { AccountFacts, DiagnosisFacts, KnownFamily, PersonFacts } from './facts.js';
import { standing } from './membership-causes.js';

const SHARED = {
  mailbox: 'the address is the same but for dots, a +tag or its letters’ form',
  phone: 'both have the same verified phone number',
  invitation: 'the invitation to this address was accepted with it',
} as const;

/** Whoever has two accounts, and asks with the one that is not a member. */
export function otherAccountCauses(facts: DiagnosisFacts, user: Named, wish: Wish): CauseWithoutId[] {
  return facts.accounts.flatMap((account) =>
    account.families
      .filter(({ membership, own_status }) => membership?.status === 'active' && lacking(own_status))
      .map((family) => ofAccount(account, family, facts.person, user, wish)),
  );
}

function lacking(status: string | null): boolean {
  return status === null || status === 'removed' || status === 'invited';
}

function ofAccount(
  account: AccountFacts,
  known: KnownFamily & { readonly own_status: string | null },
  person: PersonFacts,
  user: Named,
  wish: Wish,
): CauseWithoutId {
  const { family, granted } = known;
  const common = {
    family: { id: family.id, name: family.name, granted },
    since: account.last_login_at,
    evidence: [
      ...account.shares.map((share) => SHARED[share]),
      `${account.email} (${account.id}): ${standing(known)}`,
      `account ${account.status.replaceAll('_', ' ')}${account.last_login_at === null ? ', never signed in' : `, last signed in ${day(account.last_login_at)}`}`,
    ],
  };
  const sign = `they themselves, by signing in as ${account.email}`;
  if (person.status === 'suspended' && known.own_status === 'removed') {
    return cause('account_given_up', `gave this account up for another, ${account.email}`, {
      ...common,
      who: sign,
    });
  }
  const blockers = blockersOf({ ...known, account: person.status }, user, wish);
  const rest = stepsOf(blockers);
  return cause(
    'two_accounts',
    `has another account, ${account.email}, which is a member of family ${family.name}`,
    {
      ...common,
      evidence: [...common.evidence, ...blockers.map(({ text }) => text)],
      ...(rest === null || !linkable(account, person)
        ? {
            who: person.verified
              ? sign
              : `${sign}, or confirms this address first, before the two are linked`,
          }
        : {
            steps: [
              ...rest.filter(before),
              { does: 'user link-accounts', user: person.id, duplicate: account.id },
              ...rest.filter((step) => !before(step)),
            ],
            caution: `let the person confirm that both are theirs; linking moves ${account.memberships} membership${account.memberships === 1 ? '' : 's'} and suspends the other account`,
          }),
    },
  );
}

const before = ({ does }: { readonly does: string }) => !does.startsWith('member ');

/** Who has not proved to read this mailbox could take over the other account's families. */
function linkable(account: AccountFacts, person: PersonFacts): boolean {
  const open = account.status === 'active' || account.status === 'pending_verification';
  return (
    (person.status === 'active' || person.status === 'suspended') &&
    person.verified &&
    open &&
    !account.both_members
  );
}
