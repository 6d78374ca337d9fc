import sql, { join, type Sql } from 'sql-template-tag';
import { listOrder, type Placed, type Sorting, type SortKey } from '../../platform/database/list-order.js';
import type { Session } from '../../platform/database/session.js';
import { clockOf, type DataRequest, hasEnded, queryRequests, REQUEST } from './request.js';

export type RequestSort = 'number' | 'kind' | 'law' | 'due' | 'received';

const SORTS: Readonly<Record<RequestSort, SortKey>> = {
  number: { value: sql`r.number`, type: 'text' },
  kind: { value: sql`r.kind`, type: 'text' },
  law: { value: sql`r.regime`, type: 'text' },
  due: { value: sql`r.due_before`, type: 'timestamptz' },
  received: { value: sql`r.received_at`, type: 'timestamptz' },
};

export interface RequestListing {
  /** Also those that were answered or withdrawn. */
  readonly ended: boolean;
  readonly kind?: string | undefined;
  readonly regime?: string | undefined;
  /** Of this account, or asked for by it. */
  readonly user?: string | undefined;
  readonly limit: number;
  /** By urgency when absent: what is due first comes first. */
  readonly sort?: Sorting<RequestSort> | undefined;
  readonly cursor?: string | undefined;
}

export interface ListedRequest extends DataRequest {
  /** Negative beyond the limit; null where it has ended. */
  readonly days_left: number | null;
}

export interface RequestPage {
  readonly requests: readonly ListedRequest[];
  readonly nextCursor: string | undefined;
  /** Of all, on this page or not: unanswered beyond their limit. */
  readonly overdue: number;
}

export async function listRequests(
  session: Session,
  listing: RequestListing,
  now: Date = new Date(),
): Promise<RequestPage> {
  const { ended, kind, regime, user, limit, cursor, sort = { by: 'due', descending: false } } = listing;
  const order = listOrder('requests', SORTS, sql`r.id`, { sort, cursor });
  const conditions: Sql[] = [sql`true`];
  if (!ended) conditions.push(sql`r.state in ('open', 'in_progress')`);
  if (kind !== undefined) conditions.push(sql`r.kind = ${kind}`);
  if (regime !== undefined) conditions.push(sql`r.regime = ${regime}`);
  if (user !== undefined) conditions.push(sql`(r.user_id = ${user} or r.requester_user = ${user})`);
  if (order.after !== undefined) conditions.push(order.after);
  const found = await queryRequests<Placed>(
    session,
    sql`select ${REQUEST}, ${order.place} from privacy.requests r
      where ${join(conditions, ' and ')} order by ${order.by} limit ${limit + 1}`,
  );
  const { rows, nextCursor } = order.page<DataRequest>(found, limit);
  const { overdue } = await session.one<{ overdue: number }>(sql`
    select count(*)::int as overdue from privacy.requests r
    where r.state in ('open', 'in_progress') and r.due_before <= clock_timestamp()`);
  const requests = rows.map((request) => ({
    ...request,
    days_left: hasEnded(request) ? null : clockOf(request, now).daysLeft,
  }));
  return { requests, nextCursor, overdue };
}
