import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { CalendarDay } from '../clock/calendar-day.js';
import { type LegalHold, readHold, readStandingHold, reviewDay } from './legal-hold.js';

export interface HoldReview {
  readonly before: LegalHold;
  readonly review_on: CalendarDay;
}

/** Throws `not_found`, `released` and `wrong_day`; in 180 days where no day is named. */
export async function planHoldReview(
  session: Session,
  number: string,
  day: CalendarDay | undefined,
  now: Date = new Date(),
): Promise<HoldReview> {
  const review_on = reviewDay(day, now, 'review');
  return { before: await readStandingHold(session, number), review_on };
}

/** Says that it is still needed, and reads it back. */
export async function reviewHold(session: Session, { before, review_on }: HoldReview): Promise<LegalHold> {
  await session.query(sql`select privacy.keep_hold(${before.number}, ${review_on}::date)`);
  return await readHold(session, before.number);
}

/** Throws `not_found` and `released`. */
export const planRelease = readStandingHold;

/** Ends it for good, and reads it back. */
export async function releaseHold(session: Session, { number }: LegalHold): Promise<LegalHold> {
  await session.query(sql`select privacy.release_hold(${number})`);
  return await readHold(session, number);
}
