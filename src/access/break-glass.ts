import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import type { OpenedAccess } from './open-access.js';

/** What a second operator approves: everything, for so many minutes. */
export interface BreakGlassPlan {
  readonly do: string;
  readonly scope: 'everything';
  readonly minutes: number;
}

/** Throws `usage` for more than 60 minutes, `not_allowed` under another duty than admin. */
export async function planBreakGlass(session: Session, minutes: number): Promise<BreakGlassPlan> {
  const { plan } = await session.one<{ plan: BreakGlassPlan }>(
    sql`select ops.plan_break_glass(${minutes}) as plan`,
  );
  return plan;
}

/** Opens everything as planned and approved, for the reason that was approved. Throws `pending` without an approval. */
export async function breakGlass(session: Session, { minutes }: BreakGlassPlan): Promise<OpenedAccess> {
  return await session.one<OpenedAccess>(sql`
    select id, duty, 'break_glass' as kind, null as family_id, null as user_id, expires_at
    from ops.break_glass(${minutes})`);
}
