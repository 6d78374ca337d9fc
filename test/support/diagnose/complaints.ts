import { randomUUID } from 'node:crypto';
import type { CauseKind } from '../../../src/access/diagnose/cause.js';
import type { Account, Household, Role, Wishes } from './household.js';

/** What is asked about the complainer, who is the household's `me` unless another is named. */
export interface Asked {
  readonly family?: string;
  readonly expects?: readonly string[];
  readonly child?: string;
}

export interface Complaint {
  readonly title: string;
  readonly cause: CauseKind;
  /** Anew each time: addresses are nobody else's. */
  readonly home?: () => Wishes;
  /** Makes the household as it was meant to be, before anything is wrong; the complainer is an active member by then. */
  readonly meant?: (home: Household) => Promise<unknown>;
  /** Breaks it, and answers what is asked where that is more than the person. */
  readonly plant: (home: Household) => Promise<Asked | unknown>;
  /** Mending opens the family to all its members again. */
  readonly opens?: 'everybody';
}

const inFamily = (home: Household): Asked => ({ family: home.id });
/** A second family in which all is well. */
const healthySecond = async (home: Household, role: Role = 'extended_family') => {
  const second = await home.another('Gagnon', await home.account({ first: 'Paul' }), 1);
  await home.join(second.id, home.me, role);
};
/** Somebody who is called the same, and is somebody else. */
const homonym = (home: Household, wishes: Wishes = {}) =>
  home.account({ first: 'Marie', last: 'Tremblay', ...wishes });
const barred = (home: Household, status: string) =>
  home.sql(`update public.users set status = $2 where id = $1`, home.me.id, status);
const archive = (home: Household, days = 1) =>
  home.sql(
    `update public.families set archived_at = now() - make_interval(days => $2) where id = $1`,
    home.id,
    days,
  );

/** The complainer's membership belongs to another account of theirs. */
async function moveTo(home: Household, other: Account): Promise<void> {
  await home.sql(
    `insert into public.family_members (family_id, user_id, role, status, joined_at, created_at, access_expires_at, granted_permissions, denied_permissions)
     select family_id, $2, role, status, joined_at, created_at, access_expires_at, granted_permissions, denied_permissions from public.family_members where family_id = $1 and user_id = $3`,
    home.id,
    other.id,
    home.me.id,
  );
  await home.leave();
}

const tag = () => randomUUID().slice(0, 8);

const expired: readonly Complaint[] = [
  {
    title: 'grandma’s year ran out yesterday',
    cause: 'access_expired',
    plant: (home) => home.member(`access_expires_at = now() - interval '1 day'`),
  },
  {
    title: 'a nanny’s access ended an hour ago',
    cause: 'access_expired',
    home: () => ({ role: 'professional' }),
    plant: (home) => home.member(`access_expires_at = now() - interval '1 hour'`),
  },
  {
    title: 'a daycare’s access ended a month ago',
    cause: 'access_expired',
    home: () => ({ role: 'institutional', zone: 'America/St_Johns' }),
    plant: (home) => home.member(`access_expires_at = now() - interval '30 days'`),
  },
  {
    title: 'a second core member’s access ended',
    cause: 'access_expired',
    home: () => ({ role: 'family_core' }),
    plant: (home) => home.member(`access_expires_at = now() - interval '2 days'`),
  },
  {
    title: 'ended, beside a healthy second family',
    cause: 'access_expired',
    meant: healthySecond,
    plant: (home) => home.member(`access_expires_at = now() - interval '3 days'`),
  },
  {
    title: 'ended, with an expired invitation left over and the accepted one',
    cause: 'access_expired',
    plant: async (home) => {
      await home.invite(home.me.email, { status: 'expired', days: -30 });
      await home.invite(home.me.email, { status: 'accepted', days: -20, by: home.me.id });
      await home.member(`access_expires_at = now() - interval '3 days'`);
    },
  },
  {
    title: 'ended yesterday, and removed from another family years ago',
    cause: 'access_expired',
    meant: async (home) => {
      const old = await home.another('Ancienne', await home.account(), 1);
      await home.sql(
        `insert into public.family_members (family_id, user_id, role, status, created_at, updated_at)
         values ($1, $2, 'professional', 'removed', now() - interval '900 days', now() - interval '800 days')`,
        old.id,
        home.me.id,
      );
    },
    plant: (home) => home.member(`access_expires_at = now() - interval '1 day'`),
  },
  {
    title: 'ended, asked about with what she cannot add',
    cause: 'access_expired',
    plant: async (home) => {
      await home.member(`access_expires_at = now() - interval '1 day'`);
      return { family: home.id, expects: ['usage_logs:insert'] };
    },
  },
  {
    title: 'ended, and the address is in capitals',
    cause: 'access_expired',
    home: () => ({ email: `Mamie.TREMBLAY.${tag()}@Example.CA` }),
    plant: (home) => home.member(`access_expires_at = now() - interval '8 days'`),
  },
];

const membership: readonly Complaint[] = [
  {
    title: 'suspended by the family',
    cause: 'membership_suspended',
    plant: (home) => home.member(`status = 'suspended'`),
  },
  {
    title: 'made inactive',
    cause: 'membership_suspended',
    home: () => ({ role: 'professional' }),
    plant: (home) => home.member(`status = 'inactive'`),
  },
  {
    title: 'suspended, and expired as well',
    cause: 'membership_suspended',
    plant: (home) => home.member(`status = 'suspended', access_expires_at = now() - interval '1 day'`),
  },
  { title: 'removed', cause: 'membership_removed', plant: (home) => home.member(`status = 'removed'`) },
  {
    title: 'removed, asked about in that family',
    cause: 'membership_removed',
    plant: async (home) => {
      await home.member(`status = 'removed'`);
      return inFamily(home);
    },
  },
  {
    title: 'an institution removed',
    cause: 'membership_removed',
    home: () => ({ role: 'institutional', zone: 'Pacific/Auckland' }),
    plant: (home) => home.member(`status = 'removed'`),
  },
  {
    title: 'removed, and expired long before',
    cause: 'membership_removed',
    plant: (home) => home.member(`status = 'removed', access_expires_at = now() - interval '40 days'`),
  },
  {
    title: 'removed, with a healthy second family',
    cause: 'membership_removed',
    meant: (home) => healthySecond(home, 'professional'),
    plant: (home) => home.member(`status = 'removed'`),
  },
  {
    title: 'removed, and a homonym is still a member',
    cause: 'membership_removed',
    meant: async (home) => home.join(home.id, await homonym(home), 'extended_family'),
    plant: (home) => home.member(`status = 'removed'`),
  },
  {
    title: 'removed, while an old invitation lies about',
    cause: 'membership_removed',
    plant: async (home) => {
      await home.invite(home.me.email, { status: 'revoked', days: -30 });
      await home.member(`status = 'removed'`);
    },
  },
];

const archived: readonly Complaint[] = [
  {
    title: 'the family was archived yesterday',
    cause: 'family_archived',
    opens: 'everybody',
    plant: (home) => archive(home),
  },
  {
    title: 'archived, for a nanny',
    cause: 'family_archived',
    home: () => ({ role: 'professional' }),
    opens: 'everybody',
    plant: (home) => archive(home, 20),
  },
  {
    title: 'archived, and a core member can read but not write',
    cause: 'family_archived',
    home: () => ({ role: 'family_core' }),
    opens: 'everybody',
    plant: async (home) => {
      await archive(home);
      return { expects: ['children:update'] };
    },
  },
  {
    title: 'archived, and her access ended as well',
    cause: 'family_archived',
    opens: 'everybody',
    plant: async (home) => {
      await home.member(`access_expires_at = now() - interval '30 days'`);
      await archive(home);
    },
  },
  {
    title: 'archived, beside a healthy second family',
    cause: 'family_archived',
    opens: 'everybody',
    meant: healthySecond,
    plant: (home) => archive(home, 3),
  },
];

const permissions: readonly Complaint[] = [
  {
    title: 'reading the log denied',
    cause: 'permission_denied',
    plant: (home) => home.member(`denied_permissions = '{usage:read}'`),
  },
  {
    title: 'reading the children denied',
    cause: 'permission_denied',
    home: () => ({ role: 'professional' }),
    plant: (home) => home.member(`denied_permissions = '{children:read}'`),
  },
  {
    title: 'adding to the log denied with all other writing, of which the rest stays denied',
    cause: 'permission_denied',
    meant: (home) => home.member(`denied_permissions = '{usage:update,usage:delete}'`),
    plant: async (home) => {
      await home.member(`denied_permissions = '{usage:write}'`);
      return { expects: ['usage_logs:insert'] };
    },
  },
  {
    title: 'the log denied to an institution',
    cause: 'permission_denied',
    home: () => ({ role: 'institutional', zone: 'Asia/Kathmandu' }),
    plant: (home) => home.member(`denied_permissions = '{usage:read}'`),
  },
  {
    title: 'the emergency profile denied, and it is what they ask for',
    cause: 'permission_denied',
    plant: async (home) => {
      await home.member(`denied_permissions = '{emergency:read}'`);
      return { expects: ['emergency_profiles'] };
    },
  },
  {
    title: 'denied twice, among a healthy grant',
    cause: 'permission_denied',
    meant: (home) => home.member(`granted_permissions = '{children:update}'`),
    plant: (home) => home.member(`denied_permissions = '{usage:read,children:read}'`),
  },
  {
    title: 'denied, though granted too',
    cause: 'permission_denied',
    home: () => ({ role: 'professional' }),
    meant: (home) => home.member(`granted_permissions = '{inventory:read}'`),
    plant: async (home) => {
      await home.member(`denied_permissions = '{inventory:read}'`);
      return { expects: ['inventory_items'] };
    },
  },
  {
    title: 'a nanny wants to see the stock',
    cause: 'role_too_low',
    home: () => ({ role: 'professional' }),
    meant: (home) => home.member(`granted_permissions = '{inventory:read}'`),
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { expects: ['inventory_items'] };
    },
  },
  {
    title: 'grandma wants to change a child',
    cause: 'role_too_low',
    meant: (home) => home.member(`granted_permissions = '{children:update}'`),
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { family: home.id, expects: ['children:update'] };
    },
  },
  {
    title: 'grandma wants to correct what others logged',
    cause: 'role_too_low',
    meant: (home) => home.member(`granted_permissions = '{usage:update}'`),
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { expects: ['usage_logs:update'] };
    },
  },
  {
    title: 'a daycare wants the analytics',
    cause: 'role_too_low',
    home: () => ({ role: 'institutional' }),
    meant: (home) => home.member(`granted_permissions = '{analytics:read}'`),
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { expects: ['usage_analytics'] };
    },
  },
  {
    title: 'a nanny wants to know who else is in the family',
    cause: 'role_too_low',
    home: () => ({ role: 'professional' }),
    meant: (home) => home.member(`granted_permissions = '{members:read}'`),
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { family: home.id, expects: ['family_members'] };
    },
  },
];

const dayLimited = (zone: string): Complaint => ({
  title: `a daycare misses yesterday, in ${zone}`,
  cause: 'day_limit',
  home: () => ({ role: 'institutional', zone }),
  meant: (home) => home.member(`granted_permissions = '{usage:read}'`),
  plant: (home) => home.member(`granted_permissions = '{}'`),
});

const limits: readonly Complaint[] = [
  // Zones that change their clocks this week or never, with half and quarter hours, and on both sides of the date line.
  ...['America/Toronto', 'America/St_Johns', 'Pacific/Kiritimati', 'America/Regina', 'Asia/Kathmandu'].map(
    dayLimited,
  ),
  {
    ...dayLimited('America/Halifax'),
    title: 'a daycare of two families misses yesterday in one',
    meant: async (home) => {
      await home.member(`granted_permissions = '{usage:read}'`);
      const second = await home.another('Gagnon', await home.account(), 1);
      await home.join(second.id, home.me, 'professional');
    },
  },
  {
    ...dayLimited('America/Vancouver'),
    title: 'a daycare asks for the log by name',
    plant: async (home) => {
      await home.member(`granted_permissions = '{}'`);
      return { family: home.id, expects: ['usage_logs'] };
    },
  },
];

const accounts: readonly Complaint[] = [
  {
    title: 'account suspended',
    cause: 'account_suspended',
    plant: (home) => barred(home, 'suspended'),
  },
  {
    title: 'account suspended, a nanny’s, in two families',
    cause: 'account_suspended',
    home: () => ({ role: 'professional' }),
    meant: healthySecond,
    plant: (home) => barred(home, 'suspended'),
  },
  {
    title: 'account suspended and access ended',
    cause: 'account_suspended',
    plant: async (home) => {
      await barred(home, 'suspended');
      await home.member(`access_expires_at = now() - interval '1 day'`);
    },
  },
  {
    title: 'waits for deletion',
    cause: 'pending_deletion',
    plant: async (home) => {
      await barred(home, 'pending_deletion');
      await home.sql(
        `update public.users set data_deletion_requested_at = now() - interval '3 days' where id = $1`,
        home.me.id,
      );
    },
  },
  {
    title: 'waits for deletion, and access ended',
    cause: 'pending_deletion',
    plant: async (home) => {
      await barred(home, 'pending_deletion');
      await home.member(`access_expires_at = now() - interval '1 day'`);
      return inFamily(home);
    },
  },
  {
    title: 'privacy policy withdrawn',
    cause: 'consent_withdrawn',
    plant: async (home) => {
      await home.consent('privacy_policy', 'granted', 90);
      await home.consent('privacy_policy', 'withdrawn', 2);
    },
  },
  {
    title: 'consent to children’s data withdrawn, and marketing given',
    cause: 'consent_withdrawn',
    home: () => ({ role: 'professional' }),
    plant: async (home) => {
      await home.consent('child_data', 'withdrawn', 1);
      await home.consent('marketing', 'granted', 1);
    },
  },
  {
    title: 'consent withdrawn, and the membership suspended as well',
    cause: 'consent_withdrawn',
    plant: async (home) => {
      await home.consent('terms_of_service', 'withdrawn', 5);
      await home.member(`status = 'suspended'`);
    },
  },
  {
    title: 'consent withdrawn and given again, marketing withdrawn, and access ended: only that bars',
    cause: 'access_expired',
    plant: async (home) => {
      await home.consent('privacy_policy', 'withdrawn', 50);
      await home.consent('privacy_policy', 'granted', 10);
      await home.consent('marketing', 'withdrawn', 1);
      await home.consent('emergency_data', 'withdrawn', 1);
      await home.member(`access_expires_at = now() - interval '1 day'`);
    },
  },
  {
    title: 'address never confirmed',
    cause: 'email_unverified',
    plant: (home) =>
      home.sql(
        `update public.users set status = 'pending_verification', email_verified_at = null where id = $1`,
        home.me.id,
      ),
  },
  {
    title: 'address never confirmed, and the invitation waits for that',
    cause: 'email_unverified',
    plant: async (home) => {
      await home.leave();
      await home.sql(
        `update public.users set status = 'pending_verification', email_verified_at = null where id = $1`,
        home.me.id,
      );
      await home.invite(home.me.email);
    },
  },
  {
    title: 'address never confirmed, but what bars is the end of access',
    cause: 'access_expired',
    meant: (home) =>
      home.sql(
        `update public.users set status = 'pending_verification', email_verified_at = null where id = $1`,
        home.me.id,
      ),
    plant: (home) => home.member(`access_expires_at = now() - interval '1 day'`),
  },
];

const invitations: readonly Complaint[] = [
  {
    title: 'invited, never accepted',
    cause: 'invitation_not_accepted',
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email);
    },
  },
  {
    title: 'invited in capitals, never accepted',
    cause: 'invitation_not_accepted',
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email.toUpperCase());
      return inFamily(home);
    },
  },
  {
    title: 'invited anew after one expired, never accepted',
    cause: 'invitation_not_accepted',
    home: () => ({ role: 'professional' }),
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email, { status: 'expired', days: -40 });
      await home.invite(home.me.email);
    },
  },
  {
    title: 'invited, a membership waiting for it',
    cause: 'invitation_not_accepted',
    plant: async (home) => {
      await home.member(`status = 'invited'`);
      await home.invite(home.me.email);
    },
  },
  {
    title: 'invited, never accepted, with a healthy second family',
    cause: 'invitation_not_accepted',
    meant: healthySecond,
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email);
    },
  },
  {
    title: 'the invitation expired',
    cause: 'invitation_expired',
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email, { status: 'expired', days: -3 });
    },
  },
  {
    title: 'the invitation expired, though its row still says pending',
    cause: 'invitation_expired',
    home: () => ({ role: 'institutional' }),
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email, { days: -1 });
      return inFamily(home);
    },
  },
  {
    title: 'the invitation was revoked',
    cause: 'invitation_revoked',
    plant: async (home) => {
      await home.leave();
      await home.invite(home.me.email, { status: 'revoked' });
    },
  },
  {
    title: 'revoked, while a homonym’s was accepted',
    cause: 'invitation_revoked',
    plant: async (home) => {
      await home.leave();
      const other = await homonym(home);
      await home.invite(other.email, { status: 'accepted', by: other.id });
      await home.invite(home.me.email, { status: 'revoked' });
      return inFamily(home);
    },
  },
  ...otherSpellings(),
];

function otherSpellings(): Complaint[] {
  const to = (
    title: string,
    email: (id: string) => string,
    other: (email: string) => string,
    named = false,
  ): Complaint => ({
    title: `invited at ${title}`,
    cause: 'invitation_to_other_address',
    home: () => ({ email: email(tag()) }),
    plant: async (home) => {
      await home.leave();
      await home.invite(other(home.me.email));
      return named ? inFamily(home) : undefined;
    },
  });
  const at =
    (local: string, domain = 'example.ca') =>
    (id: string) =>
      `${local}${id}@${domain}`;
  const local = (change: (local: string) => string) => (email: string) =>
    email.replace(/^[^@]+/, (name) => change(name));
  return [
    to(
      'the address without its dots',
      at('marie.tremblay.'),
      local((name) => name.replaceAll('.', '')),
    ),
    to(
      'the address with a tag',
      at('gran'),
      local((name) => `${name.toUpperCase()}+bebe`),
    ),
    to('the address whose accent is written otherwise', at('rené'), (email) => email.normalize('NFD')),
    to('an address with two letters swapped', at('catherine'), (email) => email.replace('ath', 'aht'), true),
    to('an address with another ending', at('grand.papa'), (email) => email.replace('.ca', '.com'), true),
    to('a full-width spelling', at('gigi'), (email) => email.replace('gigi', 'ｇｉｇｉ')),
  ];
}

const twice: readonly Complaint[] = [
  {
    title: 'the membership is with another account of the same mailbox',
    cause: 'two_accounts',
    home: () => ({ email: `luc.roy.${tag()}@example.ca` }),
    plant: async (home) => {
      const [local, domain] = home.me.email.split('@');
      await moveTo(home, await home.account({ email: `${local}+nestsync@${domain}`, first: 'Luc' }));
    },
  },
  {
    title: 'the membership is with another account of the same verified phone',
    cause: 'two_accounts',
    home: () => ({ phone: `+15145550100${tag().replace(/\D/g, '')}` }),
    plant: async (home) => {
      const [me] = await home.sql<{ phone_number: string }>(
        'select phone_number from public.users where id = $1',
        home.me.id,
      );
      await moveTo(home, await home.account({ phone: me?.phone_number ?? '', first: 'M.' }));
      return inFamily(home);
    },
  },
  {
    title: 'the invitation was accepted with another account',
    cause: 'two_accounts',
    plant: async (home) => {
      const other = await home.account({ first: 'Mémé' });
      await moveTo(home, other);
      await home.invite(home.me.email, { status: 'accepted', days: -30, by: other.id });
    },
  },
  {
    title: 'another account, whose membership has ended too',
    cause: 'two_accounts',
    home: () => ({ email: `rose.${tag()}@example.ca` }),
    plant: async (home) => {
      await home.member(`access_expires_at = now() - interval '2 days'`);
      await moveTo(home, await home.account({ email: home.me.email.replace('@', '+2@') }));
    },
  },
  {
    title: 'another account, after this one was removed; homonyms all around',
    cause: 'membership_removed',
    plant: async (home) => {
      await home.member(`status = 'removed'`);
      await home.join(home.id, await homonym(home), 'extended_family');
      await homonym(home);
      return inFamily(home);
    },
  },
  {
    title: 'this account was given up for another',
    cause: 'account_given_up',
    home: () => ({ email: `yves.${tag()}@example.ca` }),
    plant: async (home) => {
      const other = await home.account({ email: home.me.email.replace('@', '+new@') });
      await home.join(home.id, other, home.role);
      await home.member(`status = 'removed'`);
      await barred(home, 'suspended');
    },
  },
];

const places: readonly Complaint[] = [
  {
    title: 'the child is in another family of the mother',
    cause: 'child_in_other_family',
    meant: async (home) => {
      const other = await home.another('Roy-Tremblay', home.core, 1, 'Léo');
      await home.join(other.id, home.me, home.role);
      await home.sql('update public.children set deleted_at = now() where family_id = $1', home.id);
    },
    plant: (home) =>
      home.sql(
        'delete from public.family_members where family_id = $1 and user_id = $2',
        home.families[1],
        home.me.id,
      ),
  },
  {
    title: 'the child looked for is in another family, by name',
    cause: 'child_in_other_family',
    home: () => ({ role: 'professional' }),
    meant: async (home) => {
      const other = await home.another('Roy', home.core, 2, 'Éloïse'.normalize('NFC'));
      await home.join(other.id, home.me, home.role);
    },
    plant: async (home) => {
      await home.sql(
        'delete from public.family_members where family_id = $1 and user_id = $2',
        home.families[1],
        home.me.id,
      );
      return { family: home.id, child: 'éloïse'.normalize('NFD') };
    },
  },
  {
    title: 'no member of the family at all',
    cause: 'no_membership',
    home: () => ({ role: 'professional' }),
    plant: async (home) => {
      await home.leave();
      return inFamily(home);
    },
  },
  {
    title: 'no member, though a homonym is, and others are invited',
    cause: 'no_membership',
    home: () => ({ role: 'professional', email: `ana${tag()}@example.ca` }),
    meant: async (home) =>
      home.join(
        home.id,
        await homonym(home, { email: home.me.email.replace('ana', 'anna') }),
        'extended_family',
      ),
    plant: async (home) => {
      await home.leave();
      await home.invite(home.address('somebody.else'));
      await home.invite(home.address('another.one'), { status: 'expired', days: -4 });
      return inFamily(home);
    },
  },
  {
    title: 'no member of this family, but of another',
    cause: 'no_membership',
    home: () => ({ role: 'professional' }),
    meant: healthySecond,
    plant: async (home) => {
      await home.leave();
      return inFamily(home);
    },
  },
  {
    title: 'belongs nowhere',
    cause: 'no_membership',
    plant: async (home) => {
      await home.leave();
    },
  },
  {
    title: 'locked out after failed sign-ins',
    cause: 'account_locked',
    plant: (home) =>
      home.sql(
        `update public.users set locked_until = now() + interval '20 minutes', failed_login_attempts = 5 where id = $1`,
        home.me.id,
      ),
  },
];

/** Complaints that each have one decisive cause. */
export const COMPLAINTS: readonly Complaint[] = [
  ...expired,
  ...membership,
  ...archived,
  ...permissions,
  ...limits,
  ...accounts,
  ...invitations,
  ...twice,
  ...places,
];
