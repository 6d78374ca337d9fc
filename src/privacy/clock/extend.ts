import { NestctlError } from '../../platform/errors.js';
import { addDays, type CalendarDay, dayIn, daysBetween } from './calendar-day.js';
import { type ExtensionGround, RULES } from './regimes.js';
import { type ClockedRequest, type GrantedExtension, noticeDue, requestClock } from './request-clock.js';

export interface ExtensionWish {
  readonly ground: ExtensionGround;
  /** Beyond the limit as it stands. */
  readonly days: number;
  /** When the notice goes out, with the new limit, the reasons and the right to complain. */
  readonly noticeAt: Date;
}

/**
 * The extension that the law allows, or why it does not: `no_extension_in_law`, `extension_too_long`,
 * `extension_notice_late`, `request_answered`, `invalid_extension`. Interference and consultation share their
 * days; what conversion needs comes on top.
 */
export function extend(request: ClockedRequest, wish: ExtensionWish): GrantedExtension {
  const { ground, days, noticeAt } = wish;
  const { name, extension, reply } = RULES[request.regime];
  if (extension === undefined)
    throw refused('no_extension_in_law', `${name} knows no extension.`, 'Answer within the limit.');
  if (request.answer !== undefined)
    throw refused('request_answered', 'The request was answered: there is nothing left to extend.');
  if (!Number.isSafeInteger(days) || days < 1)
    throw refused('invalid_extension', 'An extension is a whole number of days, at least 1.');
  const clock = requestClock(request, noticeAt);
  const told = dayIn(noticeAt, request.zone);
  if (told < clock.receivedOn)
    throw refused(
      'invalid_extension',
      `The notice (${told}) is earlier than the request (${clock.receivedOn}).`,
    );
  const lastNotice = noticeDue(request);
  if (lastNotice !== null && told > lastNotice)
    throw refused(
      'extension_notice_late',
      `The person had to be told by ${lastNotice} (${extension.law}); this notice is of ${told}.`,
      `The answer stays due on ${clock.due}.`,
    );
  const most = extension.days[ground];
  const limit = addDays(clock.limit, days);
  if (most !== null) {
    const used = capped(request, addDays(clock.receivedOn, reply.days));
    if (used + days > most)
      throw refused(
        'extension_too_long',
        `${extension.law} allows ${most} days${used > 0 ? `, of which ${used} are used` : ''}.`,
        used < most ? `At most ${most - used} days.` : `The answer stays due on ${clock.due}.`,
      );
  }
  return { ground, limit, noticeAt };
}

/** Days that were taken on grounds with a cap. */
function capped(request: ClockedRequest, firstLimit: CalendarDay): number {
  const { extension } = RULES[request.regime];
  let before = firstLimit;
  let used = 0;
  for (const { ground, limit } of request.extensions) {
    if (extension?.days[ground] !== null) used += daysBetween(before, limit);
    before = limit;
  }
  return used;
}

function refused(code: string, message: string, hint?: string): NestctlError {
  return new NestctlError(message, { kind: 'conflict', code, ...(hint === undefined ? {} : { hint }) });
}
