import { addDays, daysBetween } from '../clock/calendar-day.js';
import { RULES } from '../clock/regimes.js';
import type { RequestClock } from '../clock/request-clock.js';
import { clockOf, type DataRequest } from './request.js';

/** A day that the law's clock names, and why it is that one. */
export interface ClockLine {
  readonly day: string;
  readonly what: string;
  readonly law: string;
}

/** How the days of a request were counted, in their order. */
export function explainClock(request: DataRequest, now: Date): ClockLine[] {
  const clock = clockOf(request, now);
  const { reply, extension, holidays, deemedRefusal, recourse } = RULES[request.regime];
  const lines: ClockLine[] = [
    {
      day: clock.receivedOn,
      what: `received, by the clocks of ${request.zone}: it is not counted itself`,
      law: reply.law,
    },
    {
      day: addDays(clock.receivedOn, reply.days),
      what: `${reply.days} days after receipt`,
      law: reply.law,
    },
  ];
  const law = extension?.law ?? '';
  if (clock.extensionNoticeDue !== null && request.extensions.length === 0) {
    const from =
      request.dated_on === null ? 'receipt, for it bears no date' : `its date, ${request.dated_on}`;
    const what = `the last day to tell of an extension, counted from ${from}`;
    lines.push({ day: clock.extensionNoticeDue, what, law });
  }
  for (const { ground, days, limit } of request.extensions)
    lines.push({ day: limit, what: `${days} days more for ${ground.replaceAll('_', ' ')}`, law });
  if (clock.due !== clock.limit) {
    const moved = daysBetween(clock.limit, clock.due);
    const what = `the last day for the answer: the one counted is a Sunday or holiday, so ${moved === 1 ? 'the next day' : `${moved} days later`}`;
    lines.push({ day: clock.due, what, law: holidays.law });
  } else lines.push({ day: clock.due, what: 'the last day for the answer', law: reply.law });
  if (request.state !== 'revoked') lines.push(...outcome(clock, deemedRefusal));
  if (request.recourse_until !== null) {
    const of = request.state === 'open' || request.state === 'in_progress' ? ' if nothing is answered' : '';
    const what = `the last day to complain to ${recourse.to}${of}; until then nothing asked for is destroyed`;
    lines.push({ day: request.recourse_until, what, law: recourse.law });
  }
  return lines;
}

function outcome(clock: RequestClock, deemedRefusal: string): ClockLine[] {
  const { state } = clock;
  if (state !== 'deemed_refused' && state !== 'answered_late') return [];
  const after = state === 'answered_late' ? ', though it was answered later' : '';
  const day = addDays(clock.due, 1);
  return [{ day, what: `silence was a refusal from here on${after}`, law: deemedRefusal }];
}
