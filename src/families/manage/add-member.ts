import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { findPeople } from '../find-people.js';
import { findMember, type Membership, type PersonName, type Role } from './membership.js';

export interface MemberAddition {
  readonly family_id: string;
  readonly user_id: string;
  /** Masked. */
  readonly email: string;
  readonly role: Role;
  readonly until: Date | null;
}

/**
 * Finds the account to be added in the directory, masked and on record. Needs a directory session. Throws `not_found`
 * where nobody has an account with that address or id.
 */
export async function planMember(
  session: Session,
  who: PersonName,
  rest: Omit<MemberAddition, 'user_id' | 'email'>,
): Promise<MemberAddition> {
  const [person] = await findPeople(session, who.includes('@') ? { email: who } : { id: who });
  if (person !== undefined) return { ...rest, user_id: person.id, email: person.email };
  throw new NestctlError(`Nobody has an account as ${who}.`, {
    kind: 'not_found',
    hint: 'Whoever has no account yet is invited.',
    next: `nestctl invitation create --family ${rest.family_id} --email … --role ${rest.role}`,
  });
}

/** Adds the member and reads the membership back. Throws `conflict` where there is one already. */
export async function addMember(session: Session, plan: MemberAddition): Promise<Membership> {
  await session.query(
    sql`select ops.add_member(${plan.family_id}, ${plan.user_id}, ${plan.role}, ${plan.until})`,
  );
  return await findMember(session, plan.family_id, plan.user_id);
}
