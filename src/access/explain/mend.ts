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
  /** Their id. */
  readonly person: string;
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
  const { user, person, facts } = subject;
  const family = facts?.family?.id;
  if (key === 'account') {
    return facts?.account === 'pending_deletion'
      ? { command: null, who: 'compliance: the person has asked for deletion, and only they can withdraw it' }
      : command(`user reinstate ${person}`);
  }
  if (family === undefined) return byOwner(key);
  const at = `--family ${family} --user ${user}`;
  switch (key) {
    case 'membership':
      return invitation(subject, family) ?? command(`member add ${at} --role ${narrowest(subject)}`);
    case 'membership.status':
      return facts?.membership?.status === 'invited'
        ? (invitation(subject, family) ??
            command(
              `invitation create --family ${family} --email ${user.includes('@') ? user : '…'} --role ${facts.membership.role}`,
            ))
        : command(`member reinstate ${at}`);
    case 'membership.expiry':
      return command(`member extend ${at} --until ${aYearOn(subject.now)}`);
    case 'family.archive':
    case 'family.archive.write':
      return command(`family restore ${family}`);
  }
  if (!key.startsWith('permission:')) return byOwner(key);
  const permission = key.slice('permission:'.length);
  if (facts?.scopes?.[permission]?.denied === true)
    return command(`member set-permissions ${at}${permissions(facts, permission)}`);
  const role = RANKS.find((rank) =>
    facts?.roles?.some((one) => one.role === rank && one.permission === permission && one.scope === 'all'),
  );
  return role === undefined
    ? { command: null, who: 'nobody: no role gives this permission for all rows' }
    : command(`member set-role ${at} --role ${role}`);
}

/** An invitation that can still be accepted, sent again. */
function invitation({ facts }: Subject, family: string): Mend | undefined {
  const sent = facts?.invitation;
  return sent?.status === 'pending' || sent?.status === 'expired'
    ? command(`invitation resend --family ${family} ${sent.id}`)
    : undefined;
}

/** Both lists as they would be without the denial: the command replaces them whole. */
function permissions({ membership }: MembershipFacts, permission: string): string {
  const [resource, action] = permission.split(':');
  const denies = (name: string) => name === permission || (action !== 'read' && name === `${resource}:write`);
  const denied = membership?.denied_permissions.filter((name) => !denies(name)) ?? [];
  const granted = membership?.granted_permissions ?? [];
  return [
    ...(granted.length > 0 ? [` --grant ${granted.join(',')}`] : []),
    ...(denied.length > 0 ? [` --deny ${denied.join(',')}`] : []),
  ].join('');
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
