import { instantsOf, offsetAt } from '../../platform/zone.js';

/** A day of the calendar without a zone, `2026-11-28`. Such strings sort by time. */
export type CalendarDay = string;

const MS_A_DAY = 86_400_000;

/** The day that clocks of the zone show at an instant. */
export function dayIn(instant: Date, zone: string): CalendarDay {
  return dayOf(instant.getTime() + offsetAt(instant.getTime(), zone));
}

/** The first instant of a day in a zone, also where its clocks are put forward over midnight or pass it twice. */
export function startOf(day: CalendarDay, zone: string): Date {
  const midnight = wallOf(day);
  return new Date(instantsOf(midnight, zone)[0] ?? midnight - offsetAt(midnight - MS_A_DAY, zone));
}

export function addDays(day: CalendarDay, days: number): CalendarDay {
  return dayOf(wallOf(day) + days * MS_A_DAY);
}

/** The same day of a later month, or that month's last where it has none (Interpretation Act, R.S.C. 1985, c. I-21, s. 28). */
export function addMonths(day: CalendarDay, months: number): CalendarDay {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return dayOf(Date.UTC(year, month - 1 + months, Math.min(date, last)));
}

/** Days from one to another; negative where the second is earlier. */
export function daysBetween(from: CalendarDay, to: CalendarDay): number {
  return (wallOf(to) - wallOf(from)) / MS_A_DAY;
}

/** 0 is Sunday. */
export function weekdayOf(day: CalendarDay): number {
  return new Date(wallOf(day)).getUTCDay();
}

function wallOf(day: CalendarDay): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function dayOf(wall: number): CalendarDay {
  return new Date(wall).toISOString().slice(0, 10);
}
