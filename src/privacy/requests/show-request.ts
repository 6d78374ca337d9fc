import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { CalendarDay } from '../clock/calendar-day.js';
import { type Complaint, type RequestHold, readComplaints, readHolds } from './complaint.js';
import { type Correction, isUntold, type RecipientNotice, readCorrections, readNotices } from './correct.js';
import { type ClockLine, explainClock } from './explain-clock.js';
import { readIdentityCode } from './identity-code.js';
import { clockOf, type DataRequest, hasEnded, isVerified, readRequest } from './request.js';

/** Something that was done about a request. */
export interface RequestStep {
  readonly number: number;
  readonly step: string;
  readonly at: Date;
  readonly by: string;
  readonly duty: string | null;
  readonly state: string;
  readonly state_reason: string | null;
  /** What is particular to the step: a method, a ground, a party. */
  readonly particulars: Readonly<Record<string, string | number | boolean>>;
  /** What the person was told. */
  readonly told: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

export interface RequestCode {
  readonly issued_at: Date;
  readonly expires_at: Date;
  /** Null: what became of the letter is not on record. */
  readonly sending: 'sent' | 'unknown' | null;
  readonly attempts_left: number;
}

export interface RequestFile {
  readonly request: DataRequest;
  readonly steps: readonly RequestStep[];
  readonly clock: {
    readonly days_left: number | null;
    readonly extension_notice_due: CalendarDay | null;
    readonly lines: readonly ClockLine[];
  };
  /** What was amended or noted, and who of those who have it from us was told. */
  readonly corrections: readonly Correction[];
  readonly notices: readonly RecipientNotice[];
  readonly complaints: readonly Complaint[];
  /** The code by e-mail that can still be entered; null: none. */
  readonly code: RequestCode | null;
  /** Why what it asked for is kept; empty: nothing keeps it. */
  readonly holds: readonly RequestHold[];
  /** What is left to do; undefined where it has ended. */
  readonly next: string | undefined;
}

/** The whole file of a request. Throws `not_found`. */
export async function showRequest(
  session: Session,
  number: string,
  now: Date = new Date(),
): Promise<RequestFile> {
  const request = await readRequest(session, number);
  const steps = await session.query<RequestStep>(sql`
    select s.number, s.step, s.at, s.by, s.duty, s.state, s.state_reason, s.told, s.reason, s.ticket,
      jsonb_strip_nulls(jsonb_build_object('method', s.method, 'document', s.document, 'authority', s.authority, 'passed', s.passed,
        'ground', s.ground, 'days', s.days, 'limit_on', s.limit_on, 'notice_at', s.notice_at, 'party', s.party, 'answer', s.answer,
        'took_place_on', s.took_place_on, 'amount', s.amount, 'trouble', s.trouble)) as particulars
    from privacy.request_steps s where s.request_id = ${request.id} order by s.number`);
  const clock = clockOf(request, now);
  const corrections = await readCorrections(session, request.id);
  const notices = await readNotices(session, request.id);
  const code = await readCode(session, request, now);
  return {
    request,
    steps,
    clock: {
      days_left: hasEnded(request) ? null : clock.daysLeft,
      extension_notice_due: clock.extensionNoticeDue,
      lines: explainClock(request, now),
    },
    corrections,
    notices,
    complaints: await readComplaints(session, request.id),
    code,
    holds: await readHolds(session, request.id),
    next: nextStep(request, code, corrections, notices),
  };
}

async function readCode(session: Session, request: DataRequest, now: Date): Promise<RequestCode | null> {
  if (hasEnded(request) || request.identity_verified_at !== null) return null;
  const { issued_at, expires_at, sending, attempts_left } = await readIdentityCode(session, request.number);
  if (issued_at === null || expires_at === null || expires_at <= now) return null;
  return { issued_at, expires_at, sending, attempts_left };
}

/** The command that takes a request on. */
function nextStep(
  request: DataRequest,
  code: RequestCode | null,
  corrections: readonly Correction[],
  notices: readonly RecipientNotice[],
): string | undefined {
  if (hasEnded(request)) return undefined;
  const { number, cost_estimate: cost, cost_accepted_at: accepted } = request;
  if (!isVerified(request))
    return `nestctl request verify-identity ${number}${code === null ? '' : ' --method email_code'}`;
  if (cost !== null && accepted === null) return `nestctl request cost ${number} --accepted`;
  if (request.kind === 'correction') {
    const untold = notices.find(isUntold);
    if (corrections.length === 0) return `nestctl request correct ${number}`;
    if (untold !== undefined) return `nestctl request notify ${number} --recipient ${untold.recipient}`;
  }
  return `nestctl request fulfil ${number}`;
}
