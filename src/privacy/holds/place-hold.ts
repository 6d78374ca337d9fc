import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { CalendarDay } from '../clock/calendar-day.js';
import {
  type HoldBasis,
  type HoldSubject,
  type LegalHold,
  listHolds,
  readHold,
  reviewDay,
} from './legal-hold.js';

export interface HoldWish {
  readonly subject: HoldSubject;
  readonly basis: HoldBasis;
  readonly matter: string;
  readonly reference?: string | undefined;
  /** In 180 days when absent. */
  readonly review_on?: CalendarDay | undefined;
}

export interface HoldPlan extends HoldWish {
  readonly review_on: CalendarDay;
  /** Those that preserve the same already. */
  readonly standing: readonly string[];
}

/** Throws `wrong_day`. */
export async function planHold(session: Session, wish: HoldWish, now: Date = new Date()): Promise<HoldPlan> {
  const { subject } = wish;
  const review_on = reviewDay(wish.review_on, now, 'place');
  const standing = await listHolds(session, { subject, released: false });
  return { ...wish, review_on, standing: standing.map(({ number }) => number) };
}

/** Places it and reads it back. Throws `not_found` where whom it is on is not there. */
export async function placeHold(session: Session, plan: HoldPlan): Promise<LegalHold> {
  const { subject, basis, matter, reference = null, review_on } = plan;
  const id = (kind: HoldSubject['kind']) => (subject.kind === kind ? subject.id : null);
  const { number } = await session.one<{ number: string }>(sql`
    select privacy.place_hold(${id('user')}, ${id('family')}, ${id('child')}, ${basis}, ${matter}, ${reference}, ${review_on}::date) as number`);
  return await readHold(session, number);
}
