import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { CalendarDay } from '../clock/calendar-day.js';
import type { Regime } from '../clock/regimes.js';
import { requestClock } from '../clock/request-clock.js';
import { type DataRequest, type RequestKind, readRequest } from './request.js';

export type RequestSubject =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'child' | 'contact'; readonly id: string; readonly family: string }
  | { readonly kind: 'address'; readonly email: string };

export interface RequestWish {
  readonly regime: Regime;
  readonly kind: RequestKind;
  readonly subject: RequestSubject;
  readonly asks: string;
  readonly channel: string;
  readonly requester: DataRequest['requester'];
  readonly requester_user?: string | undefined;
  readonly requester_name?: string | undefined;
  readonly requester_contact?: string | undefined;
  /** The date it bears. */
  readonly dated_on?: CalendarDay | undefined;
  /** When it was received, in words that the person's zone gives their meaning. */
  readonly received: (zone: string) => Date;
  /** The account's, or the family's, when absent. */
  readonly zone?: string | undefined;
  /** The account's when absent. */
  readonly language?: 'en' | 'fr' | undefined;
  /** The open request of the same kind and subject that this one is another of. */
  readonly duplicate_of?: string | undefined;
}

/** What would be written, columns by name, and for whom. */
export interface Opening {
  readonly wish: Readonly<Record<string, unknown>>;
  readonly received_on: CalendarDay;
  readonly due_on: CalendarDay;
  readonly days_left: number;
  readonly extension_notice_due: CalendarDay | null;
}

/**
 * What would be opened, by the clock of its law. Throws `duplicate_request` where another of its kind and subject is
 * open, `zone_missing` or `language_missing` where nothing tells them, and `not_found`.
 */
export async function planOpening(
  session: Session,
  wish: RequestWish,
  now: Date = new Date(),
): Promise<Opening> {
  const opening = reckonOpening({ ...wish, ...(await whereabouts(session, wish)) }, now);
  if (wish.duplicate_of === undefined) await refuseDuplicate(session, wish);
  return opening;
}

/** The same of somebody whose zone and language are known, wherever there may be another request. */
export function reckonOpening(
  { subject, received, ...given }: RequestWish & { readonly zone: string; readonly language: 'en' | 'fr' },
  now: Date,
): Opening {
  const { regime, zone, dated_on } = given;
  const receivedAt = received(zone);
  const clock = requestClock({ regime, zone, datedOn: dated_on, receivedAt, extensions: [] }, now);
  if (dated_on !== undefined && dated_on > clock.receivedOn)
    throw new NestctlError(`It bears a date (${dated_on}) after its receipt (${clock.receivedOn}).`, {
      kind: 'usage',
      code: 'invalid_time',
    });
  // As if it were never answered: what silence from the last day on would mean.
  const silent = requestClock(
    { regime, zone, datedOn: dated_on, receivedAt, extensions: [] },
    clock.dueBefore,
  );
  return {
    wish: {
      ...given,
      ...subjectColumns(subject),
      received_at: receivedAt,
      limit_on: clock.limit,
      due_on: clock.due,
      due_before: clock.dueBefore,
      recourse_until: silent.recourseUntil,
    },
    received_on: clock.receivedOn,
    due_on: clock.due,
    days_left: clock.daysLeft,
    extension_notice_due: clock.extensionNoticeDue,
  };
}

/** Opens it, and reads it back. */
export async function openRequest(session: Session, { wish, due_on }: Opening): Promise<DataRequest> {
  const { number } = await session.one<{ number: string }>(
    sql`select privacy.open_request(${JSON.stringify(wish)}::jsonb) as number`,
  );
  const request = await readRequest(session, number);
  if (request.due_on !== due_on) throw new Error('the request read back is not the one that was planned');
  return request;
}

function subjectColumns(subject: RequestSubject): Record<string, string> {
  const { kind } = subject;
  if (kind === 'address') return { subject_kind: kind, email: subject.email };
  return { subject_kind: kind, [`${kind}_id`]: subject.id };
}

async function whereabouts(session: Session, { subject, zone, language }: RequestWish) {
  const known = await lookAtSubject(session, subject);
  const settled = { zone: zone ?? known?.zone, language: language ?? known?.language };
  const { zone: at, language: speaks } = settled;
  if (at === undefined) throw missing('zone', 'Where the person lives decides which day it is: add --zone.');
  if (speaks === undefined)
    throw missing('language', 'The answer is written in the language of the person: add --language.');
  return { zone: at, language: speaks };
}

interface Known {
  readonly zone: string;
  readonly language?: 'en' | 'fr';
}

async function lookAtSubject(session: Session, subject: RequestSubject): Promise<Known | undefined> {
  if (subject.kind === 'address') return undefined;
  const statement: Sql =
    subject.kind === 'user'
      ? sql`select u.timezone as zone, u.language from public.users u where u.id = ${subject.id}`
      : sql`select f.timezone as zone from public.families f where f.id = ${subject.family}
          and (${subject.kind} = 'contact' or exists (select from public.children c where c.family_id = f.id and c.id = ${subject.id}))`;
  const [known] = await session.query<Known>(statement);
  if (known !== undefined) return known;
  throw new NestctlError(
    subject.kind === 'user'
      ? `There is no account ${subject.id}.`
      : `Family ${subject.family} has no ${subject.kind} ${subject.id}.`,
    { kind: 'not_found', next: 'nestctl family list' },
  );
}

async function refuseDuplicate(session: Session, { kind, subject }: RequestWish): Promise<void> {
  const { subject_kind: _, ...columns } = subjectColumns(subject);
  const [[column = '', value] = []] = Object.entries(columns);
  const [twin] = await session.query<{ number: string }>(sql`
    select r.number from privacy.requests r
    where r.kind = ${kind} and r.state in ('open', 'in_progress') and lower(to_jsonb(r) ->> ${column}) = lower(${value})
    order by r.opened_at limit 1`);
  if (twin === undefined) return;
  throw new NestctlError(`${twin.number} asks for the same for the same subject, and is open.`, {
    kind: 'conflict',
    code: 'duplicate_request',
    hint: `If this one is another all the same: --duplicate-of ${twin.number}. Each has a clock of its own.`,
    next: `nestctl request show ${twin.number}`,
  });
}

function missing(what: string, hint: string): NestctlError {
  return new NestctlError(`Nothing tells the ${what} of this person.`, {
    kind: 'usage',
    code: `${what}_missing`,
    hint,
  });
}
