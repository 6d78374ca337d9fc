import sql from 'sql-template-tag';
import type { Session } from '../database/session.js';
import type { OperatorChange, OperatorPlan } from './operator.js';

export interface Revocation extends OperatorChange {
  readonly sessions_ended: number;
  /** Sessions that the owner has no right to end. Nothing opens to them any more. */
  readonly sessions_left: number;
}

/** What revoking would do. Throws `not_found`, or `conflict` for the last admin. */
export async function planRevocation(session: Session, login: string): Promise<OperatorPlan> {
  const { plan } = await session.one<{ plan: OperatorPlan }>(
    sql`select ops.plan_revoke_operator(${login}) as plan`,
  );
  return plan;
}

/**
 * Revokes the operator as planned and approved, then ends their sessions: only once it is committed, so that none
 * can come back in between. Throws `pending` without an approval.
 */
export async function revokeOperator(session: Session, { login }: OperatorPlan): Promise<Revocation> {
  const { done } = await session.one<{ done: OperatorChange }>(
    sql`select ops.revoke_operator(${login}) as done`,
  );
  const { ended, remaining } = await session.one<{ ended: number; remaining: number }>(
    sql`select ended, remaining from ops.end_sessions(${login})`,
  );
  return { ...done, sessions_ended: ended, sessions_left: remaining };
}
