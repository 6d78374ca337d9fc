import { day } from '../explain/membership-steps.js';
import { type Blocker, sinceWhen, type Wish } from './blockers.js';
import { type CauseKind, type CauseWithoutId, cause } from './cause.js';
import { permissionOf } from './expectation.js';
import type { FamilyFacts, InvitationFacts, PersonFacts } from './facts.js';
import { isSlip } from './spelling.js';
import type { Role, Step } from './step.js';

const ACCEPTING = 'they open the link in that mail, signed in with this account';

/** Why somebody who was invited is no member yet: at most one cause, by the invitation that comes nearest. */
export function invitationCauses(
  facts: FamilyFacts,
  person: PersonFacts,
  blockers: readonly Blocker[],
  wish: Wish,
  now: string,
): CauseWithoutId[] {
  const { membership, family, granted } = facts;
  if (membership != null && membership.status !== 'invited') return [];
  const found = nearest(facts.invitations, person.email);
  const role = found?.role ?? membership?.role;
  if (role === undefined) return [];
  const invitation = found ?? null;
  const gives = roleGives(facts, role, wish);
  const possible = gives && !(invitation?.special === true && anew(invitation));
  const first = blockers.flatMap(({ step, kind }) =>
    step === null || kind === 'permission_denied' ? [] : [step],
  );
  const steps = [
    ...verification(person),
    ...first,
    ...invite(family.id, invitation, person.email, role as Role),
  ];
  return [
    cause(kindOf(invitation), says(invitation, family.name, now), {
      family: { id: family.id, name: family.name, granted },
      since: invitation?.created_at ?? facts.changed_at,
      evidence: [
        ...(invitation === null
          ? ['their membership waits for an invitation that is not there']
          : [about(invitation)]),
        ...blockers.filter(({ kind }) => kind === 'account' || kind === 'archive').map(({ text }) => text),
      ],
      ...(possible
        ? { steps, afterwards: ACCEPTING, caution: cautionFor(invitation) }
        : {
            who: gives
              ? 'a family_core member, who invites them again: the invitation has permissions of its own'
              : `a family_core member, who invites them as more than ${role}: that role does not give what is expected`,
          }),
    }),
  ];
}

/** To the very address before one spelled otherwise, and what can still be accepted before what cannot. */
function nearest(invitations: readonly InvitationFacts[], email: string): InvitationFacts | undefined {
  const exact = invitations.filter((one) => one.exact && one.status !== 'accepted');
  const otherwise = invitations.filter(
    (one) =>
      !one.exact &&
      !one.taken &&
      (one.status === 'pending' || one.status === 'expired') &&
      (one.same_mailbox || isSlip(one.email, email)),
  );
  return exact.find(({ status }) => status === 'pending') ?? exact[0] ?? otherwise[0];
}

function kindOf(invitation: InvitationFacts | null): CauseKind {
  if (invitation === null) return 'invitation_not_accepted';
  if (!invitation.exact) return 'invitation_to_other_address';
  return invitation.status === 'expired'
    ? 'invitation_expired'
    : invitation.status === 'revoked'
      ? 'invitation_revoked'
      : 'invitation_not_accepted';
}

function says(invitation: InvitationFacts | null, family: string, now: string): string {
  if (invitation === null) return `was to join family ${family}, but holds no invitation`;
  const { exact, status, email, expires_at, created_at } = invitation;
  if (!exact) return `was invited to family ${family} at another address: ${email}`;
  if (status === 'expired') return `the invitation to family ${family} expired ${sinceWhen(expires_at, now)}`;
  if (status === 'revoked') return `the invitation to family ${family} was revoked`;
  return `was invited to family ${family} on ${day(created_at)} and never accepted`;
}

function about({
  email,
  role,
  status,
  created_at,
  expires_at,
  same_mailbox,
  exact,
}: InvitationFacts): string {
  const spelled = exact
    ? ''
    : same_mailbox
      ? ', the same but for dots, a +tag or its letters’ form'
      : ', a letter or two away';
  return `invitation as ${role} of ${day(created_at)} to ${email}${spelled}: ${status}, open until ${day(expires_at)}`;
}

function invite(family: string, invitation: InvitationFacts | null, email: string, role: Role): Step[] {
  if (invitation !== null && !anew(invitation)) {
    return [{ does: 'invitation resend', family, invitation: invitation.id }];
  }
  // Whoever has the other address must not get in besides.
  const revoke: Step[] =
    invitation?.exact === false && invitation.status === 'pending'
      ? [{ does: 'invitation revoke', family, invitation: invitation.id }]
      : [];
  return [...revoke, { does: 'invitation create', family, email, role }];
}

function anew({ exact, status }: InvitationFacts): boolean {
  return !exact || status === 'revoked';
}

function cautionFor(invitation: InvitationFacts | null): string | null {
  if (invitation?.status === 'revoked' && invitation.exact)
    return 'the family took it back itself: ask a family_core member first, not only the caller';
  return invitation?.exact === false ? 'let a family_core member confirm that this is whom they meant' : null;
}

/** A mail that is on its way is not asked for again. */
export function verification({ id, status, mail_waiting }: PersonFacts): Step[] {
  return status === 'pending_verification' && !mail_waiting
    ? [{ does: 'user resend-verification', user: id }]
    : [];
}

/** Whether a role gives what was named; what goes without saying, any role gives. */
export function roleGives({ roles }: Pick<FamilyFacts, 'roles'>, role: string, wish: Wish): boolean {
  return (
    !wish.named ||
    wish.expectations.every((expectation) =>
      roles?.some(
        (known) =>
          known.role === role &&
          known.permission === permissionOf(expectation) &&
          (expectation.command === 'insert' || ['all', 'today', 'today_own'].includes(known.scope)),
      ),
    )
  );
}
