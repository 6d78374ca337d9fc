import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { type CalendarDay, dayIn } from '../clock/calendar-day.js';
import { extend } from '../clock/extend.js';
import type { ExtensionGround } from '../clock/regimes.js';
import { type RequestClock, requestClock } from '../clock/request-clock.js';
import { requireUnverified } from './identity-code.js';
import {
  clockOf,
  type DataRequest,
  type DenialCode,
  readRequest,
  refusal,
  requireOpen,
  requireVerified,
} from './request.js';

/** What is to be recorded about a request. `told`: what the person is told. */
export type StepWish =
  | {
      readonly verb: 'verify-identity';
      readonly method: 'document' | 'signed_in' | 'known_facts' | 'email_code';
      /** What kind of document was seen; never its number. */
      readonly document?: string | undefined;
      /** What showed that somebody else may ask for the subject. */
      readonly authority?: string | undefined;
      readonly passed: boolean;
      readonly remark?: string | undefined;
    }
  | {
      readonly verb: 'extend';
      readonly ground: ExtensionGround;
      readonly days: number;
      /** When the notice went out, with the new limit, the reasons and the right to complain. */
      readonly notice_at: Date;
      readonly told: string;
    }
  | {
      readonly verb: 'consult';
      /** What kind of third party, never who. */
      readonly party: string;
      /** Today, where the person lives, when absent. */
      readonly took_place_on?: CalendarDay | undefined;
      readonly answer?: string | undefined;
      readonly remark?: string | undefined;
    }
  | { readonly verb: 'cost'; readonly told: string; readonly amount: string }
  | { readonly verb: 'cost'; readonly settled: 'accepted' | 'waived' }
  | { readonly verb: 'fulfil'; readonly told: string; readonly answered_at: Date }
  | {
      readonly verb: 'refuse';
      readonly code: DenialCode;
      readonly told: string;
      readonly recourse_told: boolean;
      readonly answered_at: Date;
    }
  | { readonly verb: 'withdraw'; readonly told?: string | undefined };

export interface StepPlan {
  readonly before: DataRequest;
  readonly wish: StepWish;
  /** Where the request would stand. */
  readonly after: {
    readonly state: DataRequest['state'];
    readonly state_reason: DataRequest['state_reason'];
    readonly due_on: CalendarDay;
    readonly recourse_until: CalendarDay | null;
    readonly limit_on: CalendarDay;
    readonly due_before: Date;
  };
}

/**
 * What a step would make of a request. Throws `not_found`, `request_ended`, `identity_not_verified`, `identity_verified`,
 * `cost_open`, and what the clock says against an extension.
 */
export async function planStep(
  session: Session,
  number: string,
  wishFor: (request: DataRequest) => StepWish,
  now: Date = new Date(),
): Promise<StepPlan> {
  const before = await readRequest(session, number);
  const wish = wishFor(before);
  refuse(before, wish);
  const clock = clockAfter(before, wish, now);
  const late = clock.state === 'answered_late' || clock.state === 'deemed_refused';
  return {
    before,
    wish,
    after: {
      ...stateAfter(before, wish, late),
      due_on: clock.due,
      recourse_until: wish.verb === 'withdraw' ? null : clock.recourseUntil,
      limit_on: clock.limit,
      due_before: clock.dueBefore,
    },
  };
}

/** Takes the step from the very row that was planned for, and reads it back. Throws `conflict` where it has changed. */
export async function takeStep(session: Session, plan: StepPlan): Promise<DataRequest> {
  await session.query(statement(plan));
  return await readRequest(session, plan.before.number);
}

function refuse(request: DataRequest, wish: StepWish): void {
  const { number } = request;
  requireOpen(request);
  if (wish.verb === 'verify-identity') requireUnverified(request);
  if (wish.verb === 'verify-identity' && (wish.method === 'document') !== (wish.document !== undefined))
    throw new NestctlError('The method document goes with --document, and no other does.', {
      kind: 'usage',
      code: 'usage',
      next: 'nestctl request verify-identity --help',
    });
  if (wish.verb === 'refuse' && !wish.recourse_told)
    throw new NestctlError('A refusal tells of the recourse there is (PIPEDA s. 8(7); P-39.1 s. 34).', {
      kind: 'usage',
      code: 'recourse_not_told',
      hint: 'Once the letter says to whom and until when the person can complain: --recourse-told.',
    });
  if (wish.verb === 'fulfil') requireVerified(request);
  const { cost_estimate, cost_accepted_at } = request;
  if (wish.verb === 'fulfil' && cost_estimate !== null && cost_accepted_at === null)
    throw refusal(
      'cost_open',
      'The cost that was told is neither accepted nor waived.',
      `nestctl request cost ${number}`,
    );
}

/** The clock once the step is taken; of what stays unanswered as if it were so for ever. */
function clockAfter(request: DataRequest, wish: StepWish, now: Date): RequestClock {
  if (wish.verb === 'fulfil' || wish.verb === 'refuse') {
    const state = wish.verb === 'refuse' ? 'denied' : 'fulfilled';
    return clockOf({ ...request, state, answered_at: wish.answered_at }, now);
  }
  const { regime, zone, dated_on, received_at: receivedAt } = request;
  const clocked = {
    ...{ regime, zone, receivedAt },
    datedOn: dated_on ?? undefined,
    extensions: request.extensions.map(({ ground, limit, notice_at: noticeAt }) => ({
      ...{ ground, limit, noticeAt },
    })),
  };
  if (wish.verb === 'extend') {
    const granted = extend(clocked, { ground: wish.ground, days: wish.days, noticeAt: wish.notice_at });
    clocked.extensions.push(granted);
  }
  return requestClock(clocked, requestClock(clocked, now).dueBefore);
}

function stateAfter(request: DataRequest, wish: StepWish, late: boolean) {
  if (wish.verb === 'fulfil') return { state: 'fulfilled', state_reason: null } as const;
  if (wish.verb === 'refuse') return { state: 'denied', state_reason: wish.code } as const;
  if (wish.verb === 'withdraw') return { state: 'revoked', state_reason: null } as const;
  const verified = request.identity_verified_at !== null || (wish.verb === 'verify-identity' && wish.passed);
  const state = late && request.state === 'expired' && wish.verb !== 'extend' ? 'expired' : 'in_progress';
  return { state, state_reason: verified ? null : 'need_user_verification' } as const;
}

function statement({ before, wish, after }: StepPlan): Sql {
  const { number, seen } = before;
  const { recourse_until, limit_on, due_on, due_before } = after;
  switch (wish.verb) {
    case 'verify-identity':
      return sql`select privacy.check_identity(${number}, ${seen}, ${wish.method}, ${wish.document}, ${wish.authority}, ${wish.passed}, ${wish.remark})`;
    case 'extend':
      return sql`select privacy.extend_request(${number}, ${seen}, ${wish.ground}, ${wish.days}, ${wish.notice_at}, ${limit_on}, ${due_on}, ${due_before}, ${recourse_until}, ${wish.told})`;
    case 'consult':
      return sql`select privacy.consult(${number}, ${seen}, ${wish.party}, ${wish.took_place_on ?? dayIn(new Date(), before.zone)}, ${wish.answer}, ${wish.remark})`;
    case 'cost':
      return 'amount' in wish
        ? sql`select privacy.set_request_cost(${number}, ${seen}, 'cost_told', ${wish.amount}, ${wish.told})`
        : sql`select privacy.set_request_cost(${number}, ${seen}, ${`cost_${wish.settled}`}, null, null)`;
    case 'fulfil':
      return sql`select privacy.fulfil_request(${number}, ${seen}, ${wish.told}, ${wish.answered_at}, ${recourse_until})`;
    case 'refuse':
      return sql`select privacy.refuse_request(${number}, ${seen}, ${wish.code}, ${wish.told}, ${wish.recourse_told}, ${wish.answered_at}, ${recourse_until})`;
    case 'withdraw':
      return sql`select privacy.withdraw_request(${number}, ${seen}, ${wish.told})`;
  }
}
