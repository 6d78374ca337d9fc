import sql from 'sql-template-tag';
import type { Session } from '../database/session.js';
import { NestctlError } from '../errors.js';
import type { Approval } from './approval.js';
import { showApproval } from './show-approval.js';

export type Decision = 'granted' | 'refused' | 'withdrawn';

/** The request to be decided. Throws `conflict` where that was done already, or it is too late. */
export async function planDecision(session: Session, id: string): Promise<Approval> {
  const approval = await showApproval(session, id);
  if (approval.state === 'pending') return approval;
  throw new NestctlError(`The request ${id} is ${approval.state} already.`, {
    kind: 'conflict',
    code: 'decided',
    next: `nestctl approval show ${id}`,
  });
}

/**
 * Grants, refuses or withdraws a request for the session's reason, and reads back what was recorded. The database
 * decides whether this operator may: nobody grants or refuses their own, nobody withdraws another's.
 */
export async function decideApproval(session: Session, id: string, decision: Decision): Promise<Approval> {
  await session.query(sql`
    select ops.decide_approval(${id}, ${decision}, current_setting('nestsync.reason', true))`);
  return await showApproval(session, id);
}
