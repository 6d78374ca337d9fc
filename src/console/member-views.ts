import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import { type DetailsView, details, text, toned } from './views.js';

interface Membership {
  readonly family_id: string;
  readonly user_id: string;
  readonly email: string;
  readonly role: string;
  readonly status: string;
  readonly access_expires_at: Date | null;
  readonly granted_permissions: readonly string[];
  readonly denied_permissions: readonly string[];
  readonly seen: string;
}

type MemberWish =
  | { readonly verb: 'extend'; readonly until: Date | null }
  | { readonly verb: 'set-role'; readonly role: string }
  | {
      readonly verb: 'set-permissions';
      readonly granted: readonly string[];
      readonly denied: readonly string[];
    }
  | { readonly verb: 'suspend' | 'reinstate' | 'remove' };

interface MemberChange {
  readonly before: Membership;
  readonly after: Membership;
  readonly wish: MemberWish;
  readonly back: MemberWish;
}

const DONE: Record<MemberWish['verb'], string> = {
  extend: 'has access until the new end',
  'set-role': 'has the new role',
  'set-permissions': 'has the new permissions',
  suspend: 'is suspended and sees nothing of the family',
  reinstate: 'is an active member again',
  remove: 'is no member any more',
};

/** How every change of one membership is shown, asked for and reported. */
export const memberChange: Pick<Change<MemberChange, Membership>, 'show' | 'question' | 'done'> = {
  show: ({ before, after }) => beforeAndAfter(before, after),
  question: ({ before, wish }) => `${wish.verb} ${before.email} in family ${before.family_id}?`,
  done: (member, { before, wish, back }) => ({
    result: {
      member: withoutVersion(member),
      before: withoutVersion(before),
      way_back: wayBack(before, back),
    },
    view: [
      text(`${member.email} ${DONE[wish.verb]}.`, { mark: 'good' }),
      details({ 'way back': wayBack(before, back) }),
    ],
    next: commandLine(['member', 'list', '--family', before.family_id]),
  }),
};

/** A membership as the stable interface shows it. */
export function withoutVersion({ seen, ...member }: Membership): Omit<Membership, 'seen'> {
  return member;
}

function beforeAndAfter(before: Membership, after: Membership): DetailsView {
  const part = (read: (member: Membership) => string | Date | null) => {
    const [was, is] = [print(read(before)), print(read(after))];
    return was === is ? was : toned('strong', `${was} → ${is}`);
  };
  return details({
    member: before.email,
    family: before.family_id,
    role: part(({ role }) => role),
    status: part(({ status }) => status),
    until: part(({ access_expires_at }) => access_expires_at ?? 'never'),
    granted: part(({ granted_permissions }) => granted_permissions.join(' ') || '–'),
    denied: part(({ denied_permissions }) => denied_permissions.join(' ') || '–'),
  });
}

const print = (value: string | Date | null) => (value instanceof Date ? value.toISOString() : (value ?? '–'));

function wayBack({ family_id, email }: Membership, wish: MemberWish): string {
  return commandLine(['member', wish.verb, '--family', family_id, '--user', email, ...words(wish)]);
}

function words(wish: MemberWish): string[] {
  switch (wish.verb) {
    case 'extend':
      return ['--until', wish.until?.toISOString() ?? 'never'];
    case 'set-role':
      return ['--role', wish.role];
    case 'set-permissions':
      return [`--grant=${wish.granted.join(',') || 'none'}`, `--deny=${wish.denied.join(',') || 'none'}`];
    default:
      return [];
  }
}
