import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { CalendarDay } from '../clock/calendar-day.js';
import type { ExtensionGround, Regime } from '../clock/regimes.js';
import { type RequestClock, requestClock } from '../clock/request-clock.js';

export type RequestKind = 'access' | 'correction' | 'deletion' | 'portability' | 'consent_withdrawal';

/** Words of the Data Rights Protocol. `expired`: nothing was answered in time, which the law deems a refusal. */
export type RequestState = 'open' | 'in_progress' | 'fulfilled' | 'revoked' | 'denied' | 'expired';

export type DenialCode =
  | 'suspected_fraud'
  | 'insuf_verification'
  | 'no_match'
  | 'claim_not_covered'
  | 'outside_jurisdiction'
  | 'too_many_requests'
  | 'other';

/** What a person asks of their data, and where it stands. */
export interface DataRequest {
  readonly id: string;
  /** `REQ-2026-0001` */
  readonly number: string;
  readonly regime: Regime;
  readonly kind: RequestKind;
  readonly subject_kind: 'user' | 'child' | 'contact' | 'address';
  readonly user_id: string | null;
  readonly child_id: string | null;
  readonly contact_id: string | null;
  /** Null too where the subject was erased since. */
  readonly email: string | null;
  /** organization: of its own motion, since the time of the account is over. */
  readonly requester: 'self' | 'guardian' | 'representative' | 'organization';
  readonly requester_user: string | null;
  readonly requester_name: string | null;
  readonly requester_contact: string | null;
  readonly asks: string | null;
  readonly channel: string;
  readonly dated_on: CalendarDay | null;
  readonly received_at: Date;
  /** Of the person who asks. */
  readonly zone: string;
  readonly language: 'en' | 'fr';
  /** The number of the request that this one was seen to be another of. */
  readonly duplicate_of: string | null;
  readonly opened_at: Date;
  readonly opened_by: string;
  readonly state: RequestState;
  /** `need_user_verification`, or the code of a denial. */
  readonly state_reason: 'need_user_verification' | DenialCode | null;
  readonly due_on: CalendarDay;
  readonly due_before: Date;
  readonly extensions: readonly {
    readonly ground: ExtensionGround;
    readonly days: number;
    readonly limit: CalendarDay;
    readonly notice_at: Date;
  }[];
  /** Until then nothing that was asked for is destroyed; null where it was answered in time, or withdrawn. */
  readonly recourse_until: CalendarDay | null;
  /** Null: not verified, and nothing may be handed out. */
  readonly identity_verified_at: Date | null;
  /** Canadian dollars. */
  readonly cost_estimate: string | null;
  readonly cost_accepted_at: Date | null;
  readonly answered_at: Date | null;
  /** The row's version: a step is taken from this one and no other. */
  readonly seen: string;
}

/** The select list of a request; the table's alias is r. */
export const REQUEST: Sql = sql`
  r.id, r.number, r.regime, r.kind, r.subject_kind, r.user_id, r.child_id, r.contact_id, r.email, r.requester,
  r.requester_user, r.requester_name, r.requester_contact, r.asks, r.channel, r.dated_on, r.received_at, r.zone,
  r.language, (select d.number from privacy.requests d where d.id = r.duplicate_of) as duplicate_of, r.opened_at,
  r.opened_by, privacy.request_state(r) as state, r.state_reason, r.due_on, r.due_before, r.recourse_until,
  r.identity_verified_at, r.cost_estimate, r.cost_accepted_at, r.answered_at, r.xmin::text as seen,
  (select coalesce(jsonb_agg(
      jsonb_build_object('ground', s.ground, 'days', s.days, 'limit', s.limit_on, 'notice_at', s.notice_at) order by s.number), '[]')
    from privacy.request_steps s where s.request_id = r.id and s.step = 'extended') as extensions`;

type Stored = Omit<DataRequest, 'extensions'> & {
  readonly extensions: readonly (Omit<DataRequest['extensions'][number], 'notice_at'> & {
    readonly notice_at: string;
  })[];
};

/** Requests as a statement with `REQUEST` in its select list yields them. */
export async function queryRequests<More = object>(
  session: Session,
  statement: Sql,
): Promise<(DataRequest & More)[]> {
  const rows = await session.query<Stored & More>(statement);
  return rows.map((row) => ({
    ...row,
    extensions: row.extensions.map((one) => ({ ...one, notice_at: new Date(one.notice_at) })),
  }));
}

/** One request by its number, in any case. Throws `not_found`. */
export async function readRequest(session: Session, number: string): Promise<DataRequest> {
  const [request] = await queryRequests(
    session,
    sql`select ${REQUEST} from privacy.requests r where r.number = upper(${number})`,
  );
  if (request !== undefined) return request;
  throw new NestctlError(`There is no request ${number}.`, {
    kind: 'not_found',
    next: 'nestctl request list --all',
  });
}

/** Throws `request_ended`. */
export function requireOpen(request: DataRequest): void {
  const { number, state } = request;
  if (hasEnded(request))
    throw refusal(
      'request_ended',
      `Request ${number} has ended: it is ${state}.`,
      `nestctl request show ${number}`,
    );
}

/** Whether it is known who asks; of our own motion nobody does. */
export function isVerified({ requester, identity_verified_at }: DataRequest): boolean {
  return identity_verified_at !== null || requester === 'organization';
}

/** Throws `identity_not_verified`. */
export function requireVerified(request: DataRequest): void {
  if (!isVerified(request))
    throw refusal(
      'identity_not_verified',
      'Nothing is handed out before the identity is verified.',
      `nestctl request verify-identity ${request.number}`,
    );
}

/** What a request as it stands does not allow. */
export function refusal(code: string, message: string, next: string): NestctlError {
  return new NestctlError(message, { kind: 'conflict', code, next });
}

export function hasEnded({ state }: Pick<DataRequest, 'state'>): boolean {
  return state === 'fulfilled' || state === 'denied' || state === 'revoked';
}

/** Where the law's clock stands for a request; of one that was withdrawn it stopped, and `state` says nothing. */
export function clockOf(
  request: Pick<
    DataRequest,
    'regime' | 'zone' | 'dated_on' | 'received_at' | 'extensions' | 'answered_at' | 'state'
  >,
  now: Date,
): RequestClock {
  const { regime, zone, dated_on, received_at: receivedAt, extensions, answered_at, state } = request;
  return requestClock(
    {
      ...{ regime, zone, receivedAt },
      datedOn: dated_on ?? undefined,
      extensions: extensions.map(({ ground, limit, notice_at: noticeAt }) => ({ ground, limit, noticeAt })),
      answer: answered_at === null ? undefined : { at: answered_at, refused: state === 'denied' },
    },
    now,
  );
}
