import type { Change } from './fact.js';
import type { MembershipFacts } from './membership.js';

export interface Mend {
  /** The command that mends it, to be completed with reason and ticket; null where support may not. */
  readonly command: string | null;
  /** Who may, where support may not. */
  readonly who: string | null;
}

const WHY = "--reason '…' --ticket …";
/** From the narrowest: the first that gives what is missing is the one to propose. */
const RANKS = ['institutional', 'professional', 'extended_family', 'family_core'];

export interface Subject {
  /** As the operator named the person: an id or an e-mail address. */
  readonly user: string;
  readonly facts: MembershipFacts | undefined;
  readonly now: Date;
  /** Permissions that the decision asks for. */
  readonly permissions: readonly string[];
}

/** What would make the missing facts true, one for each. */
export function mendsFor(changes: readonly Change[], subject: Subject): Mend[] {
  const mends = changes.map(({ fact }) => mendFor(fact.key, subject));
  return mends.filter(
    (mend, at) => mends.findIndex((one) => JSON.stringify(one) === JSON.stringify(mend)) === at,
  );
}

function mendFor(key: string, subject: Subject): Mend {
  const { user, facts } = subject;
  const family = facts?.family?.id;
  const at = `--family ${family} --user ${user}`;
  if (family === undefined) return byOwner(key);
  switch (key) {
    case 'membership':
      return facts?.invitation != null && facts.invitation.status !== 'accepted'
        ? command(`invitation resend ${at}`)
        : command(`member add ${at} --role ${narrowest(subject)}`);
    case 'membership.status':
      return facts?.membership?.status === 'invited'
        ? command(`invitation resend ${at}`)
        : command(`member reinstate ${at}`);
    case 'membership.expiry':
      return command(`member extend ${at} --until ${aYearOn(subject.now)}`);
    case 'account':
      return facts?.account === 'pending_deletion'
        ? {
            command: null,
            who: 'compliance: the person has asked for deletion, and only they can withdraw it',
          }
        : command(`user reinstate ${user}`);
    case 'family.archive':
    case 'family.archive.write':
      return command(`family restore ${family}`);
  }
  if (key.startsWith('permission:')) {
    const permission = key.slice('permission:'.length);
    if (facts?.scopes?.[permission]?.denied === true)
      return command(`member set-permissions ${at} --allow ${permission}`);
    const role = RANKS.find((rank) =>
      facts?.roles?.some((one) => one.role === rank && one.permission === permission && one.scope === 'all'),
    );
    return role === undefined
      ? { command: null, who: 'nobody: no role gives this permission for all rows' }
      : command(`member set-role ${at} --role ${role}`);
  }
  return byOwner(key);
}

function byOwner(key: string): Mend {
  if (key.startsWith('privilege:') || key.startsWith('policy:')) {
    return { command: null, who: 'nobody in support: a migration decides what a role may do' };
  }
  return { command: null, who: null };
}

function command(words: string): Mend {
  return { command: `nestctl ${words} ${WHY}`, who: null };
}

/** The narrowest role that gives all that is asked for. */
function narrowest({ facts, permissions }: Subject): string {
  const gives = (rank: string) =>
    permissions.every((permission) =>
      facts?.roles?.some((one) => one.role === rank && one.permission === permission),
    );
  return RANKS.find(gives) ?? 'family_core';
}

function aYearOn(now: Date): string {
  return new Date(Date.UTC(now.getUTCFullYear() + 1, now.getUTCMonth(), now.getUTCDate()))
    .toISOString()
    .slice(0, 10);
}
