import sql, { join, type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { eventRelation } from '../event-columns.js';
import { aboutUser, type EventFilter, filterConditions } from '../event-filter.js';

const DAY = 86_400_000;

/**
 * The time that matching events lie in, cut into days, or into months where it is long: the conditions of each part.
 * What values decide is not asked here.
 */
export async function exportWindows(session: Session, filter: EventFilter): Promise<Sql[][]> {
  const conditions = [...filterConditions(filter, session.duty).found, ...aboutUser(filter)];
  const { first, last } = await session.one<{ first: Date | null; last: Date | null }>(sql`
    select min(e.occurred_at) as first, max(e.occurred_at) as last from ${eventRelation(session.duty, filter.archived, false)} e
    where ${conditions.length === 0 ? sql`true` : join(conditions, ' and ')}`);
  if (first === null || last === null) return [[sql`false`]];
  const windows: Sql[][] = [];
  const months = last.getTime() - first.getTime() > 62 * DAY;
  for (let from = startOf(first, months); from <= last; ) {
    const to = next(from, months);
    windows.push([sql`e.occurred_at >= ${from}::timestamptz`, sql`e.occurred_at < ${to}::timestamptz`]);
    from = to;
  }
  return windows;
}

function startOf(at: Date, month: boolean): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), month ? 1 : at.getUTCDate()));
}

function next(from: Date, month: boolean): Date {
  return new Date(
    Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + (month ? 1 : 0), month ? 1 : from.getUTCDate() + 1),
  );
}
