import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type CalendarDay, dayIn } from '../clock/calendar-day.js';
import {
  type ComplaintBody,
  type ComplaintOutcome,
  RECOURSES,
  recourseAfter,
} from '../clock/complaint-recourse.js';
import { type DataRequest, readRequest, refusal } from './request.js';

/** A complaint about how a request was answered. Days are of the zone where the person lives. */
export interface Complaint {
  readonly id: string;
  readonly body: ComplaintBody;
  /** The number of its file there. */
  readonly reference: string | null;
  readonly made_on: CalendarDay;
  readonly opened_at: Date;
  readonly opened_by: string;
  readonly closed_on: CalendarDay | null;
  readonly outcome: ComplaintOutcome | null;
  /** The last day to go on to a court; null while it is open, and where no recourse is left. */
  readonly recourse_until: CalendarDay | null;
}

/** Why what a request asked for may not be destroyed, and until when; null: until that ends. */
export interface RequestHold {
  readonly why: 'request' | 'recourse' | 'complaint' | 'complaint_recourse';
  readonly until: CalendarDay | null;
}

export interface ComplaintPlan {
  readonly request: DataRequest;
  readonly body: ComplaintBody;
  readonly reference: string | null;
  readonly made_on: CalendarDay;
}

export interface ComplaintClosing {
  readonly request: DataRequest;
  readonly complaint: Complaint;
  readonly outcome: ComplaintOutcome;
  readonly closed_on: CalendarDay;
  readonly recourse_until: CalendarDay | null;
  /** Where the person can go on, and by which law; null where nothing is left. */
  readonly recourse_to: string | null;
  readonly law: string | null;
}

/** The complaints about a request, oldest first. */
export async function readComplaints(session: Session, request: string): Promise<Complaint[]> {
  return await session.query<Complaint>(sql`
    select c.id, c.body, c.reference, c.made_on, c.opened_at, c.opened_by, c.closed_on, c.outcome, c.recourse_until
    from privacy.complaints c where c.request_id = ${request} order by c.opened_at`);
}

/** What a request holds, the longest first. */
export async function readHolds(session: Session, request: string): Promise<RequestHold[]> {
  return await session.query<RequestHold>(sql`
    select h.why, h.until from privacy.requests r cross join lateral privacy.request_holds(r) h where r.id = ${request}`);
}

/** Throws `not_found`, `complaint_open` where that body has one already, and `wrong_day`. */
export async function planComplaint(
  session: Session,
  wish: {
    readonly number: string;
    readonly body: ComplaintBody;
    readonly reference?: string | undefined;
    /** Today, where the person lives, when absent. */
    readonly made_on?: CalendarDay | undefined;
  },
  now: Date = new Date(),
): Promise<ComplaintPlan> {
  const request = await readRequest(session, wish.number);
  const { number, zone } = request;
  const made_on = wish.made_on ?? dayIn(now, zone);
  if (made_on > dayIn(now, zone) || made_on < dayIn(request.received_at, zone))
    throw wrongDay('A complaint is made between the receipt of the request and today.', 'open');
  if ((await openComplaint(session, request, wish.body)) !== undefined)
    throw refusal(
      'complaint_open',
      `A complaint about ${number} is open there already.`,
      `nestctl request show ${number}`,
    );
  return { request, body: wish.body, reference: wish.reference ?? null, made_on };
}

/** Records it and returns it. */
export async function recordComplaint(session: Session, plan: ComplaintPlan): Promise<Complaint> {
  const { request, body, reference, made_on } = plan;
  const { id } = await session.one<{ id: string }>(
    sql`select privacy.open_complaint(${request.number}, ${body}, ${reference}, ${made_on}) as id`,
  );
  return await oneOf(session, request, id);
}

/**
 * What closing the complaint about a request leaves the person. Throws `not_found`, `no_complaint` where none is open,
 * `wrong_day`, and `recourse_too_early` where a given last day comes before the law's own.
 */
export async function planClosing(
  session: Session,
  wish: {
    readonly number: string;
    readonly body: ComplaintBody;
    readonly outcome: ComplaintOutcome;
    readonly closed_on?: CalendarDay | undefined;
    /** Where a court has said so; by the law when absent. */
    readonly recourse_until?: CalendarDay | undefined;
  },
  now: Date = new Date(),
): Promise<ComplaintClosing> {
  const { number, body, outcome } = wish;
  const request = await readRequest(session, number);
  const complaint = await openComplaint(session, request, body);
  if (complaint === undefined)
    throw refusal(
      'no_complaint',
      `No complaint about ${request.number} is open there.`,
      `nestctl request show ${request.number}`,
    );
  const today = dayIn(now, request.zone);
  const closed_on = wish.closed_on ?? today;
  if (closed_on > today || closed_on < complaint.made_on)
    throw wrongDay('A complaint is closed between the day it was made and today.', 'close');
  const byLaw = recourseAfter(body, outcome, closed_on);
  const { recourse_until = byLaw } = wish;
  const least = byLaw ?? closed_on;
  const none = outcome === 'withdrawn' || body === 'organization';
  if (wish.recourse_until !== undefined && (none || wish.recourse_until < least))
    throw new NestctlError(
      none
        ? 'Nothing is left to complain of there: no last day goes with it.'
        : `The law leaves them until ${least}; no earlier day goes.`,
      { kind: 'usage', code: 'recourse_too_early', next: 'nestctl request complaint close --help' },
    );
  const recourse = recourse_until === null ? undefined : RECOURSES[body];
  return {
    ...{ request, complaint, outcome, closed_on, recourse_until },
    recourse_to: recourse?.to ?? null,
    law: recourse?.law ?? null,
  };
}

/** Closes it and returns it. */
export async function closeComplaint(session: Session, plan: ComplaintClosing): Promise<Complaint> {
  const { request, complaint, outcome, closed_on, recourse_until } = plan;
  await session.query(
    sql`select privacy.close_complaint(${request.number}, ${complaint.body}, ${outcome}, ${closed_on}, ${recourse_until})`,
  );
  return await oneOf(session, request, complaint.id);
}

async function openComplaint(session: Session, { id }: DataRequest, body: ComplaintBody) {
  return (await readComplaints(session, id)).find((one) => one.body === body && one.closed_on === null);
}

async function oneOf(session: Session, request: DataRequest, id: string): Promise<Complaint> {
  return (await readComplaints(session, request.id)).find((one) => one.id === id) as Complaint;
}

function wrongDay(message: string, verb: 'open' | 'close'): NestctlError {
  return new NestctlError(message, {
    kind: 'usage',
    code: 'wrong_day',
    next: `nestctl request complaint ${verb} --help`,
  });
}
