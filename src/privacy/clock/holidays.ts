import { addDays, type CalendarDay, weekdayOf } from './calendar-day.js';

/** Whose definition of a holiday a time limit is moved by. */
export type Jurisdiction = 'canada' | 'quebec';

const SUNDAY = 0;
const MONDAY = 1;

/**
 * Holidays as the Interpretation Acts define them: of Canada (R.S.C. 1985, c. I-21, s. 35; Thanksgiving by the
 * standing proclamation of 1957) and of Quebec (CQLR c. I-16, s. 61(23)). Saturdays, civic holidays and days that
 * are proclaimed once are left out: an answer may then come a day early, and never late.
 */
export function isHoliday(day: CalendarDay, jurisdiction: Jurisdiction): boolean {
  return weekdayOf(day) === SUNDAY || namedHolidays(Number(day.slice(0, 4)), jurisdiction).includes(day);
}

/** The day itself, or the next that is no holiday. */
export function nextOpenDay(day: CalendarDay, jurisdiction: Jurisdiction): CalendarDay {
  let open = day;
  while (isHoliday(open, jurisdiction)) open = addDays(open, 1);
  return open;
}

function namedHolidays(year: number, jurisdiction: Jurisdiction): CalendarDay[] {
  const easter = easterOf(year);
  const both = [
    `${year}-01-01`,
    addDays(easter, -2),
    addDays(easter, 1),
    mondayBefore(`${year}-05-25`),
    canadaDay(year),
    mondayFrom(`${year}-09-01`),
    mondayFrom(`${year}-10-08`),
    `${year}-12-25`,
  ];
  return jurisdiction === 'quebec'
    ? [...both, `${year}-06-24`]
    : [...both, ...(year >= 2021 ? [`${year}-09-30`] : []), `${year}-11-11`];
}

/** Where the first is a Sunday, the second stands for it (Holidays Act, R.S.C. 1985, c. H-5, s. 2). */
function canadaDay(year: number): CalendarDay {
  return weekdayOf(`${year}-07-01`) === SUNDAY ? `${year}-07-02` : `${year}-07-01`;
}

function mondayFrom(day: CalendarDay): CalendarDay {
  return addDays(day, (MONDAY - weekdayOf(day) + 7) % 7);
}

function mondayBefore(day: CalendarDay): CalendarDay {
  return addDays(mondayFrom(day), -7);
}

/** Western Easter Sunday, by the Gregorian computus as Meeus and Butcher write it. */
function easterOf(year: number): CalendarDay {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const rest = year % 100;
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const epact = (19 * golden + century - Math.floor(century / 4) - correction + 15) % 30;
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - epact - (rest % 4)) % 7;
  const late = Math.floor((golden + 11 * epact + 22 * weekday) / 451);
  const sum = epact + weekday - 7 * late + 114;
  return `${year}-0${Math.floor(sum / 31)}-${String((sum % 31) + 1).padStart(2, '0')}`;
}
