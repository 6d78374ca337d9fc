import sql from 'sql-template-tag';
import type { Connection } from '../platform/database/connection.js';

/** Somebody of the extended family whose access has expired, for showing what support does about it. */
export interface LockedOutRelative {
  readonly user_id: string;
  readonly email: string;
  readonly family_id: string;
  readonly membership: string;
}

/** One of them, the longest locked out; undefined where there is none. Reads as the owner: for local databases. */
export async function lockedOutRelative(owner: Connection): Promise<LockedOutRelative | undefined> {
  const [relative] = await owner.query<LockedOutRelative>(sql`
    select u.id as user_id, u.email, m.family_id, m.id as membership
    from public.family_members m
      join public.users u on u.id = m.user_id and u.status = 'active'
      join public.families f on f.id = m.family_id and f.archived_at is null
    where m.role = 'extended_family' and m.status = 'active' and m.access_expires_at < now()
    order by m.access_expires_at, m.id limit 1`);
  return relative;
}
