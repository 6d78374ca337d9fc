import { addDays, addMonths, type CalendarDay, dayIn, daysBetween, startOf } from './calendar-day.js';
import { nextOpenDay } from './holidays.js';
import { type ExtensionGround, type Regime, RULES } from './regimes.js';

/** A later limit of which the person was told in time. */
export interface GrantedExtension {
  readonly ground: ExtensionGround;
  /** The new last day as it is counted, before a holiday moves it. */
  readonly limit: CalendarDay;
  readonly noticeAt: Date;
}

/** What the law's clock reads of a request. */
export interface ClockedRequest {
  readonly regime: Regime;
  /** Of the person who asks. */
  readonly zone: string;
  /** The date that the request bears; its receipt where it bears none. */
  readonly datedOn?: CalendarDay | undefined;
  readonly receivedAt: Date;
  readonly extensions: readonly GrantedExtension[];
  /** When the answer went out, be it a refusal. */
  readonly answer?: { readonly at: Date; readonly refused: boolean } | undefined;
}

export interface RequestClock {
  readonly receivedOn: CalendarDay;
  /** The last day for the answer, with every extension, moved past holidays. */
  readonly due: CalendarDay;
  /** When that day is over where the person lives. */
  readonly dueBefore: Date;
  /** As the limit is counted, before a holiday moved it: extensions go on from here. */
  readonly limit: CalendarDay;
  /** The last day to tell of an extension; null where the law knows none. */
  readonly extensionNoticeDue: CalendarDay | null;
  readonly state: 'running' | 'answered' | 'answered_late' | 'deemed_refused';
  /** Until `due`, as the person's calendar shows today: 0 on the last day, negative beyond it. */
  readonly daysLeft: number;
  /** The last day on which the person can complain of a refusal, said or silent; until then nothing asked for is destroyed. */
  readonly recourseUntil: CalendarDay | null;
  /** The sections that it was reckoned by. */
  readonly laws: readonly string[];
}

/** Where a request stands at a moment. */
export function requestClock(request: ClockedRequest, now: Date): RequestClock {
  const { zone, answer } = request;
  const rules = RULES[request.regime];
  const { jurisdiction } = rules.holidays;
  const receivedOn = dayIn(request.receivedAt, zone);
  const limit = request.extensions.at(-1)?.limit ?? addDays(receivedOn, rules.reply.days);
  const due = nextOpenDay(limit, jurisdiction);
  const dueBefore = startOf(addDays(due, 1), zone);
  const state = stateOf(answer?.at, dueBefore, now);
  // Silence was a refusal already; what is answered afterwards takes nobody's recourse away.
  const refusals = [
    ...(state === 'deemed_refused' || state === 'answered_late' ? [due] : []),
    ...(answer?.refused === true ? [dayIn(answer.at, zone)] : []),
  ];
  const last = refusals.sort().at(-1);
  const { months, days } = rules.recourse;
  return {
    receivedOn,
    due,
    dueBefore,
    limit,
    extensionNoticeDue: noticeDue(request),
    state,
    daysLeft: daysBetween(dayIn(now, zone), due),
    recourseUntil:
      last === undefined ? null : nextOpenDay(addDays(addMonths(last, months), days), jurisdiction),
    laws: [
      rules.reply.law,
      ...(request.extensions.length > 0 && rules.extension !== undefined ? [rules.extension.law] : []),
      ...(due === limit ? [] : [rules.holidays.law]),
      ...(state === 'deemed_refused' || state === 'answered_late' ? [rules.deemedRefusal] : []),
      ...(last === undefined ? [] : [rules.recourse.law]),
    ],
  };
}

/** The last day to tell of an extension: counted from the date of the request, not from its receipt. */
export function noticeDue({ regime, zone, datedOn, receivedAt }: ClockedRequest): CalendarDay | null {
  const { extension } = RULES[regime];
  if (extension === undefined) return null;
  // No holiday moves it: a notice that comes early is as good.
  return addDays(datedOn ?? dayIn(receivedAt, zone), extension.noticeDays);
}

function stateOf(answeredAt: Date | undefined, dueBefore: Date, now: Date): RequestClock['state'] {
  if (answeredAt !== undefined) return answeredAt < dueBefore ? 'answered' : 'answered_late';
  return now < dueBefore ? 'running' : 'deemed_refused';
}
