import sql, { empty, type Sql } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { type Grant, grantsWhere } from './grant.js';

export interface GrantFilter {
  /** A login; the session's own when absent. */
  readonly operator?: string | undefined;
  /** Also those that have expired or were closed. */
  readonly ended: boolean;
  readonly limit: number;
}

/** Access grants, newest first. Others' are visible to auditors and admins only: the database decides. */
export async function listAccess(session: Session, filter: GrantFilter): Promise<Grant[]> {
  const owner: Sql =
    filter.operator === undefined ? sql`operator = session_user` : sql`operator = ${filter.operator}`;
  const ended: Sql = filter.ended ? empty : sql`and closed_at is null and expires_at > clock_timestamp()`;
  return await session.query<Grant>(grantsWhere(sql`${owner} ${ended}`, filter.limit));
}
