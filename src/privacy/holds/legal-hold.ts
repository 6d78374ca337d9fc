import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { addDays, type CalendarDay, dayIn } from '../clock/calendar-day.js';

/** What needs it: `order` is of a court, or a demand to preserve. */
export type HoldBasis = 'litigation' | 'order' | 'investigation' | 'audit';

/** Whose data it preserves; a child's hold, all of the family that the child is in. */
export interface HoldSubject {
  readonly kind: 'user' | 'family' | 'child';
  readonly id: string;
}

/** While it stands nothing of its subject is erased, and no month of the audit log that holds it is pruned. */
export interface LegalHold {
  /** HOLD-2026-0001 */
  readonly number: string;
  readonly subject: HoldSubject;
  readonly basis: HoldBasis;
  readonly matter: string;
  /** The number of the file there. */
  readonly reference: string | null;
  /** When somebody has to say whether it is still needed, a day in UTC. It never ends by itself. */
  readonly review_on: CalendarDay;
  readonly review_due: boolean;
  readonly placed_at: Date;
  readonly placed_by: string;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly released_at: Date | null;
  readonly released_by: string | null;
  readonly release_reason: string | null;
}

/** Days until a hold is looked at again, where nobody says when, and at the most. */
const [REVIEW, LATEST_REVIEW] = [180, 366];

/** The day of a review, in UTC: in 180 days when absent. Throws `wrong_day` unless it is within a year from tomorrow. */
export function reviewDay(day: CalendarDay | undefined, now: Date, verb: 'place' | 'review'): CalendarDay {
  const today = dayIn(now, 'UTC');
  const review = day ?? addDays(today, REVIEW);
  if (review > today && review <= addDays(today, LATEST_REVIEW)) return review;
  throw new NestctlError('A hold is reviewed within a year, from tomorrow on.', {
    kind: 'usage',
    code: 'wrong_day',
    next: `nestctl hold ${verb} --help`,
  });
}

/** Those that stand, or all; of one subject where one is named. What is to be reviewed first comes first. */
export async function listHolds(
  session: Session,
  { subject, released }: { readonly subject?: HoldSubject | undefined; readonly released: boolean },
): Promise<LegalHold[]> {
  return await queryHolds(
    session,
    sql`(${released} or h.released_at is null) and ${
      subject === undefined ? sql`true` : sql`to_jsonb(h) ->> ${`${subject.kind}_id`} = ${subject.id}`
    }`,
  );
}

/** Throws `not_found`. */
export async function readHold(session: Session, number: string): Promise<LegalHold> {
  const [hold] = await queryHolds(session, sql`h.number = ${number}`);
  if (hold !== undefined) return hold;
  throw new NestctlError(`There is no hold ${number}.`, {
    kind: 'not_found',
    next: 'nestctl hold list --all',
  });
}

/** One that stands. Throws `not_found`, and `released`. */
export async function readStandingHold(session: Session, number: string): Promise<LegalHold> {
  const hold = await readHold(session, number);
  if (hold.released_at === null) return hold;
  throw new NestctlError(`Hold ${number} was released on ${dayIn(hold.released_at, 'UTC')}.`, {
    kind: 'conflict',
    code: 'released',
    next: `nestctl hold show ${number}`,
  });
}

async function queryHolds(session: Session, condition: Sql): Promise<LegalHold[]> {
  return await session.query<LegalHold>(sql`
    select h.number, jsonb_build_object('kind', case when h.user_id is not null then 'user' when h.family_id is not null then 'family' else 'child' end,
        'id', coalesce(h.user_id, h.family_id, h.child_id)) as subject,
      h.basis, h.matter, h.reference, h.review_on, h.released_at is null and h.review_on <= (clock_timestamp() at time zone 'UTC')::date as review_due,
      h.placed_at, h.placed_by, h.reason, h.ticket, h.released_at, h.released_by, h.release_reason
    from privacy.legal_holds h where ${condition}
    order by h.released_at is not null, h.review_on, h.number`);
}
