import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

export interface AccountFamily {
  readonly family_id: string;
  readonly name: string;
  readonly role: string;
  readonly status: string;
  readonly access_expires_at: Date | null;
  readonly archived_at: Date | null;
}

/** An account as support may see it. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly display_name: string | null;
  readonly status: 'pending_verification' | 'active' | 'suspended' | 'pending_deletion';
  readonly email_verified_at: Date | null;
  readonly last_login_at: Date | null;
  readonly failed_login_attempts: number;
  readonly locked_until: Date | null;
  readonly language: string;
  readonly timezone: string;
  readonly province: string | null;
  readonly created_at: Date;
  readonly families: readonly AccountFamily[];
  /** The row's version: a change is made to this one and no other. */
  readonly seen: string;
}

/** An account with its families. Throws `not_found`, also where no grant opens it. */
export async function showAccount(session: Session, id: string): Promise<Account> {
  const [account] = await session.query<Omit<Account, 'families'>>(sql`
    select id, email, display_name, status, email_verified_at, last_login_at, failed_login_attempts, locked_until, language, timezone,
      province, created_at, xmin::text as seen
    from public.users where id = ${id}`);
  if (account === undefined) {
    throw new NestctlError(`There is no person ${id}.`, {
      kind: 'not_found',
      next: 'nestctl family list --email …',
    });
  }
  const families = await session.query<AccountFamily>(sql`
    select m.family_id, f.name, m.role, m.status, m.access_expires_at, f.archived_at
    from public.family_members m join public.families f on f.id = m.family_id
    where m.user_id = ${id} order by f.name, m.family_id`);
  return { ...account, families };
}
