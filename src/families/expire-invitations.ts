import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';

const BATCH = 1000;

/**
 * Gives invitations that nobody accepted in time the status they have by the clock, a thousand a transaction so
 * that no lock is held for long. Returns how many; stops between two batches when the signal is aborted.
 */
export async function expireInvitations(session: Session, signal?: AbortSignal): Promise<number> {
  let expired = 0;
  for (;;) {
    const { count } = await session.one<{ count: number }>(
      sql`select ops.expire_invitations(${BATCH})::int as count`,
    );
    expired += count;
    if (count < BATCH || signal?.aborted === true) return expired;
  }
}
