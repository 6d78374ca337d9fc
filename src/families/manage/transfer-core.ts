import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { findMember, type Membership, type PersonName, type Role } from './membership.js';

export interface CoreTransfer {
  readonly from: Membership;
  readonly to: Membership;
  /** What the giver is afterwards. */
  readonly then_role: Role;
}

/** Who would hand the core role to whom. Throws `not_found`, and `conflict` where the giver has none. */
export async function planCoreTransfer(
  session: Session,
  family: string,
  { from, to, then_role }: { readonly from: PersonName; readonly to: PersonName; readonly then_role: Role },
): Promise<CoreTransfer> {
  const plan = {
    from: await findMember(session, family, from),
    to: await findMember(session, family, to),
    then_role,
  };
  if (plan.from.role === 'family_core') return plan;
  throw new NestctlError(`${plan.from.email} is ${plan.from.role}, not family_core.`, {
    kind: 'conflict',
    code: 'not_core',
    next: `nestctl member list --family ${family}`,
  });
}

/** Hands the role over in one transaction; returns both memberships as read back, the giver's first. */
export async function transferCore(
  session: Session,
  { from, to, then_role }: CoreTransfer,
): Promise<readonly [from: Membership, to: Membership]> {
  await session.query(
    sql`select ops.transfer_core(${from.family_id}, ${from.user_id}, ${to.user_id}, ${then_role}, ${from.seen}, ${to.seen})`,
  );
  return [
    await findMember(session, from.family_id, from.user_id),
    await findMember(session, to.family_id, to.user_id),
  ];
}
