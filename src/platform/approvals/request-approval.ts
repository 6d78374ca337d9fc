import sql from 'sql-template-tag';
import type { Session } from '../database/session.js';
import { APPROVAL, type Approval } from './approval.js';

/**
 * Files a request for exactly this plan with the session's reason and ticket, or finds the operator's own that is
 * `granted` or `pending` already: running the same command again goes on where it waited. What carries the plan out
 * makes it anew and uses the approval up in the database. Throws `needs_input` without reason or ticket,
 * `not_allowed` where it was refused for this reason.
 */
export async function requestApproval(session: Session, action: string, plan: object): Promise<Approval> {
  return await session.one<Approval>(sql`
    select ${APPROVAL} from ops.request_approval(${action}, ${JSON.stringify(plan)}::jsonb,
      current_setting('nestsync.reason', true), current_setting('nestsync.ticket', true)) a`);
}
