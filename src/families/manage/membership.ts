import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

export const ROLES = ['family_core', 'extended_family', 'professional', 'institutional'] as const;
export type Role = (typeof ROLES)[number];

/** A person as somebody names them: a user's id, or an e-mail address in any case. */
export type PersonName = string;

export interface Membership {
  readonly family_id: string;
  readonly user_id: string;
  readonly email: string;
  readonly role: Role;
  readonly status: 'active' | 'invited' | 'inactive' | 'suspended' | 'removed';
  /** When it ends; null for never. */
  readonly access_expires_at: Date | null;
  readonly granted_permissions: readonly string[];
  readonly denied_permissions: readonly string[];
  /** The row's version: a change is made to this one and no other. */
  readonly seen: string;
}

/** Every membership of a family that the session may read, ended ones too, from the widest role to the narrowest. */
export async function listMembers(session: Session, family: string): Promise<Membership[]> {
  return await session.query<Membership>(memberships(sql`m.family_id = ${family}`));
}

/** One membership. Throws `not_found`, also where the session may not read the family. */
export async function findMember(session: Session, family: string, who: PersonName): Promise<Membership> {
  const [member] = await session.query<Membership>(
    memberships(
      sql`m.family_id = ${family} and (u.id::text = lower(${who}) or lower(u.email) = lower(${who}))`,
    ),
  );
  if (member !== undefined) return member;
  throw new NestctlError(`${who} is no member of family ${family}.`, {
    kind: 'not_found',
    next: `nestctl member list --family ${family}`,
  });
}

function memberships(condition: Sql): Sql {
  return sql`
    select m.family_id, m.user_id, u.email, m.role, m.status, m.access_expires_at, m.granted_permissions,
      m.denied_permissions, m.xmin::text as seen
    from public.family_members m join public.users u on u.id = m.user_id
    where ${condition}
    order by array_position(${[...ROLES]}::text[], m.role), u.email`;
}
