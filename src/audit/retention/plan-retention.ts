import type { Session } from '../../platform/database/session.js';
import { openPrunings } from './prunings.js';

/** A month whose years are over. */
export interface DueMonth {
  readonly category: string;
  /** `2015-01` */
  readonly month: string;
  /** Of one that lies in the object store. */
  readonly archive: string | null;
  readonly years: number;
  readonly kept_until: Date;
  readonly events: number;
  /** new; begun: not signed for yet; recorded: to be dropped once its record is sealed; held: it stays. */
  readonly state: 'new' | 'begun' | 'recorded' | 'held';
  /** Why it stays. */
  readonly held: string | null;
}

/** What an approval is of, as the database makes it. */
export interface Approvable extends Record<string, unknown> {
  readonly months: readonly unknown[];
}

export interface RetentionPlan {
  readonly months: readonly DueMonth[];
  readonly approvable: Approvable;
}

/** Months whose years are over by the clock of the server, and those on their way. */
export async function dueMonths(session: Session): Promise<DueMonth[]> {
  const open = (await openPrunings(session)).map(
    ({ month, archive, years, kept_until, events, record, held }): DueMonth => ({
      category: month.category,
      month: month.month.slice(0, 7),
      archive,
      years,
      kept_until,
      events,
      state: held !== null ? 'held' : record === null ? 'begun' : 'recorded',
      held,
    }),
  );
  const due = await session.query<DueMonth>(
    `select category::text, to_char(month, 'YYYY-MM') as month, archive, years, kept_until, events::float8, held,
       case when held is null then 'new' else 'held' end as state
     from audit.due_retention()`,
  );
  return [...open, ...due];
}

/** What would be pruned now. Throws `not_allowed` under another duty than compliance. */
export async function planRetention(session: Session): Promise<RetentionPlan> {
  const { plan } = await session.one<{ plan: Approvable }>('select audit.plan_retention() as plan');
  return { months: await dueMonths(session), approvable: plan };
}
