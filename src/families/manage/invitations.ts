import sql, { empty, type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { Role } from './membership.js';

export interface Invitation {
  readonly family_id: string;
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  /** `expired` too where the table still says pending, but its end has passed. */
  readonly status: 'pending' | 'accepted' | 'expired' | 'revoked';
  readonly expires_at: Date;
  readonly created_at: Date;
  /** A mail that staff asked for waits until the application sends it. */
  readonly mail: 'waiting' | 'sent' | null;
  readonly seen: string;
}

export interface NewInvitation {
  readonly family_id: string;
  readonly email: string;
  readonly role: Role;
  readonly until: Date;
}

export type InvitationWish = { readonly verb: 'resend'; readonly until: Date } | { readonly verb: 'revoke' };

export interface InvitationChange {
  readonly before: Invitation;
  readonly wish: InvitationWish;
}

/** A family's invitations, the newest first. */
export async function listInvitations(session: Session, family: string): Promise<Invitation[]> {
  return await session.query<Invitation>(invitations(family));
}

/** Invites an address; the application makes the token and sends the mail. Throws `conflict` for a member or an open invitation. */
export async function createInvitation(session: Session, wish: NewInvitation): Promise<Invitation> {
  const { family_id, email, role, until } = wish;
  const { id } = await session.one<{ id: string }>(
    sql`select ops.create_invitation(${family_id}, ${email}, ${role}, ${until}) as id`,
  );
  return await findInvitation(session, family_id, id);
}

/** What would be done to an invitation. Throws `not_found`, and `conflict` where it is accepted or revoked. */
export async function planInvitationChange(
  session: Session,
  family: string,
  id: string,
  wish: InvitationWish,
): Promise<InvitationChange> {
  const before = await findInvitation(session, family, id);
  if (before.status === 'pending' || before.status === 'expired') return { before, wish };
  throw new NestctlError(`The invitation to ${before.email} is ${before.status}.`, {
    kind: 'conflict',
    code: 'invitation_ended',
    next: `nestctl invitation list --family ${family}`,
  });
}

/** Does it to the very row that was planned for, and reads it back. */
export async function changeInvitation(
  session: Session,
  { before, wish }: InvitationChange,
): Promise<Invitation> {
  const { family_id, id, seen } = before;
  await session.query(
    wish.verb === 'resend'
      ? sql`select ops.resend_invitation(${family_id}, ${id}, ${wish.until}, ${seen})`
      : sql`select ops.revoke_invitation(${family_id}, ${id}, ${seen})`,
  );
  return await findInvitation(session, family_id, id);
}

async function findInvitation(session: Session, family: string, id: string): Promise<Invitation> {
  const [invitation] = await session.query<Invitation>(invitations(family, sql`and i.id = ${id}`));
  if (invitation !== undefined) return invitation;
  throw new NestctlError(`Family ${family} has no invitation ${id}.`, {
    kind: 'not_found',
    next: `nestctl invitation list --family ${family}`,
  });
}

function invitations(family: string, more: Sql = empty): Sql {
  return sql`
    select i.family_id, i.id, i.email, i.role, i.expires_at, i.created_at, i.xmin::text as seen,
      case when i.status = 'pending' and i.expires_at <= clock_timestamp() then 'expired' else i.status end as status,
      (select case when bool_or(w.sent_at is null) then 'waiting' when count(*) > 0 then 'sent' end
       from ops.invitation_mails w where w.family_id = i.family_id and w.invitation_id = i.id) as mail
    from public.family_invitations i where i.family_id = ${family} ${more}
    order by i.created_at desc, i.id`;
}
