import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';

export type ReviewState = 'open' | 'due' | 'overdue' | 'reviewed';

/** A break-glass that somebody started alone, and what somebody else said of it. */
export interface BrokenGlass {
  /** The grant's id. */
  readonly id: string;
  readonly operator: string;
  readonly reason: string;
  readonly ticket: string;
  readonly opened_at: Date;
  /** When it was closed or expired; in the future while it is open. */
  readonly ended_at: Date;
  readonly review_due_at: Date;
  readonly state: ReviewState;
  readonly reviewer: string | null;
  readonly verdict: 'justified' | 'not_justified' | null;
  readonly note: string | null;
  readonly reviewed_at: Date | null;
}

/** Those that wait for a review, the most urgent first; with `all` also the reviewed ones. */
export async function listReviews(
  session: Session,
  { all }: { readonly all: boolean },
): Promise<BrokenGlass[]> {
  return await session.query<BrokenGlass>(brokenWhere(all ? sql`true` : sql`r.grant_id is null`));
}

/** One of them. Throws `not_found`. */
export async function showReview(session: Session, id: string): Promise<BrokenGlass> {
  const [found] = await session.query<BrokenGlass>(brokenWhere(sql`g.id = ${id}`));
  if (found !== undefined) return found;
  throw new NestctlError(`No break-glass ${id} was started alone, as far as you may see.`, {
    kind: 'not_found',
    next: 'nestctl access review',
  });
}

function brokenWhere(condition: Sql): Sql {
  return sql`
    select g.id, g.operator, g.reason, g.ticket, g.opened_at, coalesce(g.closed_at, g.expires_at) as ended_at, g.review_due_at,
      case when r.grant_id is not null then 'reviewed'
        when coalesce(g.closed_at, g.expires_at) > clock_timestamp() then 'open'
        when g.review_due_at <= clock_timestamp() then 'overdue' else 'due' end as state,
      r.reviewer, r.verdict, r.note, r.reviewed_at
    from ops.access_grants g left join ops.access_reviews r on r.grant_id = g.id
    where g.review_due_at is not null and ${condition}
    order by r.grant_id is not null, g.review_due_at, g.id
    limit 1000`;
}
