import sql, { join, type Sql } from 'sql-template-tag';
import { decodeCursor, encodeCursor, PART } from '../platform/cursor.js';
import type { Session } from '../platform/database/session.js';
import { type Grant, grantsWhere, LIVE } from './grant.js';

export interface GrantFilter {
  /** A login; the session's own when absent. */
  readonly operator?: string | undefined;
  /** Also those that have expired or were closed. */
  readonly ended: boolean;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface GrantPage {
  readonly grants: readonly Grant[];
  readonly nextCursor: string | undefined;
}

/** Access grants, newest first. Others' are visible to auditors and admins only: the database decides. */
export async function listAccess(session: Session, filter: GrantFilter): Promise<GrantPage> {
  const { operator, limit, cursor } = filter;
  const conditions: Sql[] = [
    operator === undefined ? sql`operator = session_user` : sql`operator = ${operator}`,
  ];
  if (!filter.ended) conditions.push(LIVE);
  if (cursor !== undefined) {
    const [at, id] = decodeCursor('grants', cursor, [PART.time, PART.id]);
    conditions.push(sql`(opened_at, id) < (${at}::timestamptz, ${id}::uuid)`);
  }
  const rows = await session.query<Grant>(grantsWhere(join(conditions, ' and '), limit + 1));
  const grants = rows.slice(0, limit);
  const last = rows.length > limit ? grants.at(-1) : undefined;
  return { grants, nextCursor: last === undefined ? undefined : await cursorAt(session, last.id) };
}

/** A Date holds milliseconds only, and grants opened within one would be skipped. */
async function cursorAt(session: Session, id: string): Promise<string> {
  const { at } = await session.one<{ at: string }>(
    sql`select opened_at::text as at from ops.access_grants where id = ${id}`,
  );
  return encodeCursor('grants', [at, id]);
}
