import { addDays, addMonths, type CalendarDay } from './calendar-day.js';
import { type Jurisdiction, nextOpenDay } from './holidays.js';

/** Whom a person can complain to about the answer to a request. `organization`: us (PIPEDA principle 4.10). */
export const COMPLAINT_BODIES = ['organization', 'commissioner', 'cai', 'court'] as const;
export type ComplaintBody = (typeof COMPLAINT_BODIES)[number];

export const COMPLAINT_OUTCOMES = [
  'well_founded',
  'not_well_founded',
  'resolved',
  'discontinued',
  'withdrawn',
] as const;
export type ComplaintOutcome = (typeof COMPLAINT_OUTCOMES)[number];

interface Recourse {
  readonly months: number;
  readonly days: number;
  readonly holidays: Jurisdiction;
  readonly to: string;
  readonly law: string;
}

/** How long the person can go on after a body has ended its part; absent where the law sets no time that is ours to reckon. */
export const RECOURSES: Readonly<Partial<Record<ComplaintBody, Recourse>>> = {
  commissioner: {
    ...{ months: 12, days: 0, holidays: 'canada' },
    ...{ to: 'the Federal Court', law: 'PIPEDA s. 14(2)' },
  },
  cai: {
    ...{ months: 0, days: 30, holidays: 'quebec' },
    ...{ to: 'the Court of Québec', law: 'CQLR c. P-39.1, s. 63' },
  },
};

/** The last day to go on to a court once a body has closed a complaint; null where none is left, or none is set by law. */
export function recourseAfter(
  body: ComplaintBody,
  outcome: ComplaintOutcome,
  closedOn: CalendarDay,
): CalendarDay | null {
  const recourse = RECOURSES[body];
  if (recourse === undefined || outcome === 'withdrawn') return null;
  const { months, days, holidays } = recourse;
  return nextOpenDay(addDays(addMonths(closedOn, months), days), holidays);
}
