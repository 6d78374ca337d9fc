import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type CalendarDay, dayIn } from '../clock/calendar-day.js';
import { type DataRequest, readRequest, refusal, requireOpen, requireVerified } from './request.js';

/** Something amended or noted on a request for correction. */
export interface Correction {
  readonly id: string;
  /** `public.children` */
  readonly table: string;
  readonly row: string;
  readonly column: string;
  readonly outcome: 'amended' | 'annotated';
  /** What the person says; null too where they were erased since. */
  readonly note: string | null;
  readonly recipients: readonly string[];
  readonly made_at: Date;
  readonly made_by: string;
}

/** Somebody who has a corrected value from us. Neither told nor a reason why not: they wait to be told. */
export interface RecipientNotice {
  readonly recipient: string;
  readonly told_on: CalendarDay | null;
  readonly why_not: string | null;
}

export interface CorrectionWish {
  readonly number: string;
  readonly table: string;
  readonly row: string;
  readonly column: string;
  /** `amend`: what it is to become, as PostgreSQL reads it, null for nothing; `annotate`: it stays, and this is noted. */
  readonly how:
    | { readonly amend: string | null; readonly note?: string | undefined }
    | { readonly annotate: string };
}

export interface CorrectionPlan extends Pick<CorrectionWish, 'table' | 'row' | 'column'> {
  readonly request: DataRequest;
  readonly outcome: Correction['outcome'];
  readonly was: string | null;
  readonly becomes: string | null;
  readonly note: string | null;
  /** Who has it from us and is to be told. */
  readonly recipients: readonly string[];
}

/**
 * What a correction would change. Throws `not_found`, `request_ended`, `identity_not_verified`, `not_a_correction`,
 * `no_grant`, what the data map says against it, and `nothing_to_correct` where the value stands there already.
 */
export async function planCorrection(session: Session, wish: CorrectionWish): Promise<CorrectionPlan> {
  const request = await readRequest(session, wish.number);
  const { number, kind } = request;
  requireOpen(request);
  if (kind !== 'correction')
    throw refusal(
      'not_a_correction',
      `Request ${number} asks for ${kind.replaceAll('_', ' ')}, not for a correction.`,
      `nestctl request show ${number}`,
    );
  requireVerified(request);
  const { table, row, column, how } = wish;
  const amended = 'amend' in how;
  const planned = await session.one<Pick<CorrectionPlan, 'was' | 'becomes' | 'recipients'>>(sql`
    select was, becomes, recipients
    from privacy.plan_correction(${number}, ${request.seen}, ${table}, ${row}::uuid, ${column}, ${amended ? how.amend : null})`);
  if (amended && planned.was === planned.becomes)
    throw new NestctlError(`That is what stands in ${table}.${column} already.`, {
      kind: 'conflict',
      code: 'nothing_to_correct',
      next: `nestctl request show ${number}`,
    });
  return {
    ...{ request, table, row, column, recipients: planned.recipients, was: planned.was },
    outcome: amended ? 'amended' : 'annotated',
    becomes: amended ? planned.becomes : planned.was,
    note: amended ? (how.note ?? null) : how.annotate,
  };
}

/** Amends or notes it, where it is still what the plan saw, and reads it back. */
export async function correct(session: Session, plan: CorrectionPlan): Promise<Correction> {
  const { request, table, row, column, outcome, was, becomes, note } = plan;
  const { id } = await session.one<{ id: string }>(
    sql`select privacy.correct(${request.number}, ${request.seen}, ${table}, ${row}::uuid, ${column}, ${outcome}, ${was}, ${becomes}, ${note}) as id`,
  );
  return (await readCorrections(session, request.id)).find((one) => one.id === id) as Correction;
}

/** What was corrected on a request, oldest first. */
export async function readCorrections(session: Session, request: string): Promise<Correction[]> {
  return await session.query<Correction>(sql`
    select c.id, c.table_name as table, c.row_id as row, c.column_name as column, c.outcome, c.note, c.recipients, c.made_at, c.made_by
    from privacy.corrections c where c.request_id = ${request} order by c.made_at`);
}

/** Everybody who has something corrected from us, told or not. */
export async function readNotices(session: Session, request: string): Promise<RecipientNotice[]> {
  return await session.query<RecipientNotice>(sql`
    select u.recipient, n.told_on, n.why_not
    from (select distinct unnest(c.recipients) as recipient from privacy.corrections c where c.request_id = ${request}) u
      left join privacy.correction_notices n on n.request_id = ${request} and n.recipient = u.recipient
    order by u.recipient`);
}

export interface NoticePlan extends RecipientNotice {
  readonly request: DataRequest;
}

export interface NoticeWish {
  readonly recipient: string;
  /** Today, where the person lives, when absent. */
  readonly told_on?: CalendarDay | undefined;
  /** Why it is right that they are not told. */
  readonly why_not?: string | undefined;
}

/** Throws `not_found`, `request_ended` and `nobody_to_tell` where that recipient does not wait to be told. */
export async function planNotice(
  session: Session,
  number: string,
  { recipient, told_on, why_not }: NoticeWish,
  now: Date = new Date(),
): Promise<NoticePlan> {
  const request = await readRequest(session, number);
  requireOpen(request);
  const waiting = (await readNotices(session, request.id)).filter(isUntold).map((one) => one.recipient);
  if (!waiting.includes(recipient))
    throw new NestctlError(
      `${recipient} is none of those who wait to be told of a correction of ${request.number}.`,
      {
        kind: 'conflict',
        code: 'nobody_to_tell',
        hint: waiting.length === 0 ? 'Nobody waits.' : `These do: ${waiting.join(', ')}.`,
        next: `nestctl request show ${request.number}`,
      },
    );
  return {
    ...{ request, recipient, why_not: why_not ?? null },
    told_on: why_not === undefined ? (told_on ?? dayIn(now, request.zone)) : null,
  };
}

export function isUntold({ told_on, why_not }: RecipientNotice): boolean {
  return told_on === null && why_not === null;
}

/** Records it, and reads back how everybody stands. */
export async function recordNotice(session: Session, plan: NoticePlan): Promise<RecipientNotice[]> {
  const { request, recipient, told_on, why_not } = plan;
  await session.query(
    sql`select privacy.notify_recipient(${request.number}, ${request.seen}, ${recipient}, ${told_on}, ${why_not})`,
  );
  return await readNotices(session, request.id);
}
