import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';

export interface FamilyMember {
  readonly id: string;
  readonly user_id: string;
  readonly email: string;
  readonly display_name: string | null;
  readonly account: string;
  readonly role: string;
  readonly status: string;
  readonly granted_permissions: readonly string[];
  readonly denied_permissions: readonly string[];
  readonly joined_at: Date | null;
  readonly access_expires_at: Date | null;
  /** Whether the membership opens anything at this moment. */
  readonly counts: boolean;
  /** What keeps it from counting: its status, `expired`, the account's status or `family archived`; null where it counts. */
  readonly blocked_by: string | null;
}

export interface FamilyChild {
  readonly id: string;
  readonly name: string;
  /** YYYY-MM-DD */
  readonly date_of_birth: string;
  readonly current_diaper_size: string | null;
  readonly deleted_at: Date | null;
}

export interface FamilyInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  /** `expired` too where it is still pending in the table, but past its end. */
  readonly status: string;
  readonly expires_at: Date;
}

export interface Family {
  readonly id: string;
  readonly name: string;
  readonly family_type: string;
  readonly description: string | null;
  readonly province: string | null;
  readonly timezone: string;
  readonly created_at: Date;
  readonly archived_at: Date | null;
  readonly last_logged_at: Date | null;
  readonly members: readonly FamilyMember[];
  readonly children: readonly FamilyChild[];
  readonly invitations: readonly FamilyInvitation[];
}

/** A family with its members, children and invitations, in one snapshot. Throws `not_found`. */
export async function showFamily(session: Session, id: string): Promise<Family> {
  return await session.transaction(
    async () => {
      const [family] = await session.query<Omit<Family, 'members' | 'children' | 'invitations'>>(sql`
        select id, name, family_type, description, province, timezone, created_at, archived_at,
          (select max(l.logged_at) from public.usage_logs l where l.family_id = f.id) as last_logged_at
        from public.families f where id = ${id}`);
      if (family === undefined) {
        throw new NestctlError(`There is no family ${id}.`, {
          kind: 'not_found',
          next: `nestctl family list --id ${id}`,
        });
      }
      return {
        ...family,
        members: await session.query<FamilyMember>(sql`
          select m.id, m.user_id, u.email, u.display_name, u.status as account, m.role, m.status,
            m.granted_permissions, m.denied_permissions, m.joined_at, m.access_expires_at,
            why.blocked_by is null as counts, why.blocked_by
          from public.family_members m
            join public.families f on f.id = m.family_id
            join public.users u on u.id = m.user_id
            cross join lateral (select case
              when m.status <> 'active' then m.status
              when m.access_expires_at <= clock_timestamp() then 'expired'
              when u.status in ('suspended', 'pending_deletion') then 'account ' || replace(u.status, '_', ' ')
              when f.archived_at is not null and m.role <> 'family_core' then 'family archived'
            end as blocked_by) why
          where m.family_id = ${id}
          order by array_position(array['family_core', 'extended_family', 'professional', 'institutional'], m.role), u.email`),
        children: await session.query<FamilyChild>(sql`
          select id, name, date_of_birth, current_diaper_size, deleted_at
          from public.children where family_id = ${id} order by date_of_birth, name, id`),
        invitations: await session.query<FamilyInvitation>(sql`
          select id, email, role,
            case when status = 'pending' and expires_at <= clock_timestamp() then 'expired' else status end as status, expires_at
          from public.family_invitations where family_id = ${id} order by expires_at desc, id`),
      };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}
