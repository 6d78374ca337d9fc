import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { findMember, type Membership, type PersonName, type Role } from './membership.js';

/** What is to become of a membership. */
export type MemberWish =
  | { readonly verb: 'extend'; readonly until: Date | null }
  | { readonly verb: 'set-role'; readonly role: Role }
  | {
      readonly verb: 'set-permissions';
      readonly granted: readonly string[];
      readonly denied: readonly string[];
    }
  | { readonly verb: 'suspend' | 'reinstate' | 'remove' };

export interface MemberChange {
  readonly before: Membership;
  readonly after: Membership;
  readonly wish: MemberWish;
  /** The wish that leads back. */
  readonly back: MemberWish;
}

/** What a wish would make of a membership. Throws `not_found`, and `conflict` where nothing would change. */
export async function planMemberChange(
  session: Session,
  family: string,
  who: PersonName,
  wish: MemberWish,
): Promise<MemberChange> {
  const before = await findMember(session, family, who);
  const after = { ...before, ...changed(wish) };
  if (same(before, after)) {
    throw new NestctlError(`${before.email} is that already: nothing would change.`, {
      kind: 'conflict',
      code: 'no_change',
    });
  }
  return { before, after, wish, back: wayBack(before, wish) };
}

/** Makes the change to the very row that was planned for, and reads it back. Throws `conflict` where it has changed. */
export async function changeMember(session: Session, plan: MemberChange): Promise<Membership> {
  await session.query(statement(plan));
  const member = await findMember(session, plan.before.family_id, plan.before.user_id);
  if (!same(member, plan.after)) throw new Error('the membership read back is not the one that was planned');
  return member;
}

function statement({ before: { family_id, user_id, seen }, wish }: MemberChange): Sql {
  switch (wish.verb) {
    case 'extend':
      return sql`select ops.extend_member(${family_id}, ${user_id}, ${wish.until}, ${seen})`;
    case 'set-role':
      return sql`select ops.set_member_role(${family_id}, ${user_id}, ${wish.role}, ${seen})`;
    case 'set-permissions':
      return sql`select ops.set_member_permissions(${family_id}, ${user_id}, ${wish.granted}, ${wish.denied}, ${seen})`;
    default:
      return sql`select ops.set_member_status(${family_id}, ${user_id}, ${STATUS[wish.verb]}, ${seen})`;
  }
}

const STATUS = { suspend: 'suspended', reinstate: 'active', remove: 'removed' } as const;

function changed(wish: MemberWish): Partial<Membership> {
  switch (wish.verb) {
    case 'extend':
      return { access_expires_at: wish.until };
    case 'set-role':
      return { role: wish.role };
    case 'set-permissions':
      return { granted_permissions: wish.granted, denied_permissions: wish.denied };
    default:
      return { status: STATUS[wish.verb] };
  }
}

function wayBack(before: Membership, wish: MemberWish): MemberWish {
  switch (wish.verb) {
    case 'extend':
      // An end that has passed cannot be set again.
      return before.access_expires_at !== null && before.access_expires_at <= new Date()
        ? { verb: 'suspend' }
        : { verb: 'extend', until: before.access_expires_at };
    case 'set-role':
      return { verb: 'set-role', role: before.role };
    case 'set-permissions':
      return {
        verb: 'set-permissions',
        granted: before.granted_permissions,
        denied: before.denied_permissions,
      };
    case 'reinstate':
      return { verb: before.status === 'suspended' ? 'suspend' : 'remove' };
    default:
      return { verb: 'reinstate' };
  }
}

function same(one: Membership, other: Membership): boolean {
  const key = ({ role, status, access_expires_at, granted_permissions, denied_permissions }: Membership) =>
    JSON.stringify([role, status, access_expires_at, granted_permissions, denied_permissions]);
  return key(one) === key(other);
}
