import sql, { join, type Sql } from 'sql-template-tag';
import { listOrder, type Placed, type Sorting, type SortKey } from '../platform/database/list-order.js';
import type { Session } from '../platform/database/session.js';
import { type Grant, grantsWhere, LIVE } from './grant.js';

export type GrantSort = 'kind' | 'duty' | 'expires' | 'ticket' | 'operator' | 'opened' | 'closed';

const SORTS: Readonly<Record<GrantSort, SortKey>> = {
  kind: { value: sql`kind`, type: 'text' },
  duty: { value: sql`duty`, type: 'text' },
  expires: { value: sql`expires_at`, type: 'timestamptz' },
  ticket: { value: sql`ticket`, type: 'text' },
  operator: { value: sql`operator`, type: 'text' },
  opened: { value: sql`opened_at`, type: 'timestamptz' },
  closed: { value: sql`closed_at`, type: 'timestamptz', nullable: true },
};

export interface GrantFilter {
  /** A login; the session's own when absent. */
  readonly operator?: string | undefined;
  /** Also those that have expired or were closed. */
  readonly ended: boolean;
  readonly limit: number;
  /** By opening, the newest first, when absent. */
  readonly sort?: Sorting<GrantSort> | undefined;
  readonly cursor?: string | undefined;
}

export interface GrantPage {
  readonly grants: readonly Grant[];
  readonly nextCursor: string | undefined;
}

/** Access grants. Others' are visible to auditors and admins only: the database decides. */
export async function listAccess(session: Session, filter: GrantFilter): Promise<GrantPage> {
  const { operator, limit, cursor, sort = { by: 'opened', descending: true } } = filter;
  const order = listOrder('grants', SORTS, sql`id`, { sort, cursor });
  const conditions: Sql[] = [
    operator === undefined ? sql`operator = session_user` : sql`operator = ${operator}`,
  ];
  if (!filter.ended) conditions.push(LIVE);
  if (order.after !== undefined) conditions.push(order.after);
  const found = await session.query<Grant & Placed>(grantsWhere(join(conditions, ' and '), limit + 1, order));
  const { rows: grants, nextCursor } = order.page(found, limit);
  return { grants, nextCursor };
}
