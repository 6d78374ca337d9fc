import sql, { type Sql } from 'sql-template-tag';
import type { Duty } from '../database/duties.js';

/** void: whoever granted it holds the duty no longer. */
export type ApprovalState = 'pending' | 'granted' | 'refused' | 'withdrawn' | 'used' | 'expired' | 'void';

/** A request for a second operator's approval of one exact plan, as ops.approvals keeps it. */
export interface Approval {
  readonly id: string;
  /** What it is for, such as `operator` or `break_glass`: a line of ops.approval_rules. */
  readonly action: string;
  readonly state: ApprovalState;
  /** What is to be done, bound by `plan_hash`. */
  readonly plan: Readonly<Record<string, unknown>>;
  /** SHA-256 in hexadecimal of action and plan, as the database made it. */
  readonly plan_hash: string;
  readonly requested_by: string;
  readonly duty: Duty;
  /** The duty under which somebody else decides. */
  readonly approver_duty: Duty;
  readonly reason: string;
  readonly ticket: string;
  readonly requested_at: Date;
  readonly expires_at: Date;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly decided_reason: string | null;
  readonly used_at: Date | null;
}

/** The columns of an Approval, of `ops.approvals a`. */
export const APPROVAL: Sql = sql`
  a.id, a.action, ops.approval_state(a) as state, a.plan, a.plan_hash, a.requested_by, a.duty, a.approver_duty,
  a.reason, a.ticket, a.requested_at, a.expires_at, a.decided_by, a.decided_at, a.decided_reason, a.used_at`;
