import sql, { join, type Sql } from 'sql-template-tag';
import { listOrder, type Placed, type Sorting, type SortKey } from '../database/list-order.js';
import type { Session } from '../database/session.js';
import { APPROVAL, type Approval } from './approval.js';

export type ApprovalSort = 'action' | 'requester' | 'duty' | 'expires' | 'ticket' | 'requested' | 'decider';

const SORTS: Readonly<Record<ApprovalSort, SortKey>> = {
  action: { value: sql`a.action`, type: 'text' },
  requester: { value: sql`a.requested_by`, type: 'text' },
  duty: { value: sql`a.approver_duty`, type: 'text' },
  expires: { value: sql`a.expires_at`, type: 'timestamptz' },
  ticket: { value: sql`a.ticket`, type: 'text' },
  requested: { value: sql`a.requested_at`, type: 'timestamptz' },
  decider: { value: sql`a.decided_by`, type: 'text', nullable: true },
};

export interface ApprovalFilter {
  /** Only requests that somebody else made and this operator may decide. */
  readonly forMe: boolean;
  /** Also those that are decided, used or expired. */
  readonly ended: boolean;
  readonly limit: number;
  /** By request, the newest first, when absent. */
  readonly sort?: Sorting<ApprovalSort> | undefined;
  readonly cursor?: string | undefined;
}

export interface ApprovalPage {
  readonly approvals: readonly Approval[];
  readonly nextCursor: string | undefined;
}

/** Requests that the session may see: its own, and those that its operator may decide. */
export async function listApprovals(session: Session, filter: ApprovalFilter): Promise<ApprovalPage> {
  const { limit, cursor, sort = { by: 'requested', descending: true } } = filter;
  const order = listOrder('approvals', SORTS, sql`a.id`, { sort, cursor });
  const conditions: Sql[] = [sql`true`];
  if (filter.forMe) conditions.push(sql`a.requested_by <> session_user`);
  if (!filter.ended) conditions.push(sql`ops.approval_state(a) in ('pending', 'granted')`);
  if (order.after !== undefined) conditions.push(order.after);
  const found = await session.query<Approval & Placed>(sql`
    select ${APPROVAL}, ${order.place} from ops.approvals a
    where ${join(conditions, ' and ')}
    order by ${order.by} limit ${limit + 1}`);
  const { rows: approvals, nextCursor } = order.page(found, limit);
  return { approvals, nextCursor };
}
