import { type Report, writeReport } from '../../../evidence/index.js';
import { NestctlError } from '../../../platform/errors.js';
import { dayIn } from '../../clock/calendar-day.js';
import { clockOf } from '../request.js';
import type { RequestFile, RequestStep } from '../show-request.js';
import {
  ANSWER_BY,
  ANSWERED,
  COMPLAIN,
  COST,
  GREETING,
  KEPT,
  LATE,
  type LetterKind,
  MAY_EXTEND,
  NEW_LIMIT,
  OUR_PRIVACY_OFFICER,
  REASONS,
  RECEIVED,
  RECOURSE,
  REFUSED,
  TITLES,
  VERIFY,
  WHY_EXTENDED,
} from './templates.js';
import { COMMISSIONS, DENIALS, dayWords, GROUNDS, KINDS, LAWS, type Words, words } from './words.js';

/** A letter to whoever made a request, in both languages. */
export interface Letter {
  readonly title: Words;
  readonly date: Words;
  readonly paragraphs: readonly Words[];
}

/** The letter that belongs to a request as it stands. Throws `no_such_letter` where its step was not taken. */
export function composeLetter(file: RequestFile, kind: LetterKind, now: Date): Letter {
  const { request } = file;
  const law = LAWS[request.regime];
  const step = stepOf(file, kind);
  const day = dayIn(dayOfLetter(file, step, now), request.zone);
  const parts = {
    number: request.number,
    law,
    kind: KINDS[request.kind],
    received: dayWords(clockOf(request, now).receivedOn),
    due: dayWords(request.due_on),
    commission: COMMISSIONS[request.regime],
    told: step.told ?? '',
    ground: GROUNDS[step.particulars.ground as keyof typeof GROUNDS] ?? '',
    code: DENIALS[step.state_reason as keyof typeof DENIALS] ?? '',
    until: request.recourse_until === null ? '' : dayWords(request.recourse_until),
    limit: kind === 'extension' ? dayWords(request.due_on) : '',
    cost: request.cost_estimate === null ? '' : request.cost_estimate,
  };
  return {
    title: words(parts, TITLES[kind]),
    date: dayWords(day),
    paragraphs: [
      GREETING,
      ...paragraphsOf(file, kind).map((template) => words(parts, template)),
      OUR_PRIVACY_OFFICER,
    ],
  };
}

/** As text for a mail, one line a paragraph. */
export function letterText({ title, date, paragraphs }: Letter, language: keyof Words): string {
  return [title[language], date[language], ...paragraphs.map((one) => one[language])].join('\n\n');
}

/** As one HTML page, complete in itself. */
export async function writeLetter(letter: Letter, path: string, language: keyof Words): Promise<void> {
  const { title, date: lead, paragraphs } = letter;
  const foot = paragraphs.at(-1);
  const report: Report = {
    title,
    lead,
    ...(foot === undefined ? {} : { foot }),
    sections: [
      {
        heading: { en: 'Your request', fr: 'Votre demande' },
        blocks: paragraphs.slice(0, -1).map((text) => ({ kind: 'text', text })),
      },
    ],
  };
  await writeReport(report, path, { language, zone: 'UTC' });
}

const STEPS: Readonly<Record<LetterKind, string>> = {
  acknowledgement: 'opened',
  extension: 'extended',
  refusal: 'denied',
  answer: 'fulfilled',
};

function stepOf({ request, steps }: RequestFile, kind: LetterKind): RequestStep {
  const step = steps.findLast((one) => one.step === STEPS[kind]);
  if (step !== undefined && (step.told !== null || kind === 'acknowledgement')) return step;
  throw new NestctlError(
    step === undefined
      ? `Request ${request.number} was not ${STEPS[kind]}: there is nothing to write of.`
      : 'What was told was erased with the person.',
    { kind: 'conflict', code: 'no_such_letter', next: `nestctl request show ${request.number}` },
  );
}

function dayOfLetter({ request }: RequestFile, { step, particulars }: RequestStep, now: Date): Date {
  if (step === 'extended') return new Date(String(particulars.notice_at));
  return step === 'opened' ? now : (request.answered_at ?? now);
}

function paragraphsOf({ request }: RequestFile, kind: LetterKind): readonly Words[] {
  const { regime } = request;
  const late = request.recourse_until !== null;
  switch (kind) {
    case 'acknowledgement':
      return [
        RECEIVED,
        ...(request.identity_verified_at === null ? [VERIFY] : []),
        ANSWER_BY,
        ...(regime === 'pipeda' ? [MAY_EXTEND] : []),
        COMPLAIN,
      ];
    case 'extension':
      return [RECEIVED, NEW_LIMIT, WHY_EXTENDED, COMPLAIN];
    case 'refusal':
      return [RECEIVED, REFUSED, REASONS, RECOURSE, KEPT];
    case 'answer':
      return [
        RECEIVED,
        ANSWERED,
        ...(request.cost_accepted_at === null ? [] : [COST]),
        ...(late ? [LATE] : []),
        COMPLAIN,
      ];
  }
}
