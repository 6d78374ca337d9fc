import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';

export interface WeekOfChild {
  readonly child_id: string;
  readonly child_name: string;
  /** Monday, YYYY-MM-DD. */
  readonly week: string;
  readonly events: number;
  readonly changes: number;
  readonly items_used: number;
  readonly leakages: number;
}

export interface WeekOfAll {
  /** Monday, YYYY-MM-DD. */
  readonly week: string;
  readonly families: number;
  readonly children: number;
  readonly events: number;
  readonly changes: number;
}

export interface Computed<Week> {
  readonly weeks: readonly Week[];
  /** When the figures were computed; null where they never were. */
  readonly computed_at: Date | null;
}

/** Usage of one granted family by child and week, as of the last refresh, from the week of `since` (YYYY-MM-DD) on. */
export async function weeklyUsage(
  session: Session,
  family: string,
  since: string | null,
): Promise<Computed<WeekOfChild>> {
  const weeks = await session.query<WeekOfChild>(sql`
    select child_id, child_name, week, events::int, changes::int, items_used::int, leakages::int
    from ops.weekly_usage(${family}, date_trunc('week', ${since}::date)::date)`);
  return { weeks, computed_at: await computedAt(session) };
}

/** The weeks of each child, in the order they came. */
export function byChild(
  weeks: readonly WeekOfChild[],
): { readonly id: string; readonly name: string; readonly weeks: readonly WeekOfChild[] }[] {
  const ids = [...new Set(weeks.map((week) => week.child_id))];
  return ids.map((id) => {
    const own = weeks.filter((week) => week.child_id === id);
    return { id, name: own[0]?.child_name ?? '', weeks: own };
  });
}

/** Usage of the whole product by week: counts only, from the week of `since` (YYYY-MM-DD) on. */
export async function weeklyActivity(session: Session, since: string | null): Promise<Computed<WeekOfAll>> {
  const weeks = await session.query<WeekOfAll>(sql`
    select week, families::int, children::int, events::float8, changes::float8
    from ops.weekly_activity(date_trunc('week', ${since}::date)::date)`);
  return { weeks, computed_at: await computedAt(session) };
}

/** Computes the analytics views anew. Needs the duty sre or admin. */
export async function refreshAnalytics(session: Session): Promise<{ started_at: Date; finished_at: Date }> {
  return await session.one(sql`select started_at, finished_at from ops.refresh_analytics()`);
}

async function computedAt(session: Session): Promise<Date | null> {
  const { at } = await session.one<{ at: Date | null }>(
    sql`select max(finished_at) as at from ops.analytics_refreshes`,
  );
  return at;
}
