import { microsecondsOf } from '../microseconds.js';

/** One month of one category: a partition of the log. */
export interface Month {
  readonly category: string;
  /** `2025-01-01` */
  readonly month: string;
  /** From and up to these times, microseconds since 2000-01-01 UTC. */
  readonly from: bigint;
  readonly to: bigint;
}

export function monthOf(category: string, month: string): Month {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const at = (months: number) => microsecondsOf(new Date(Date.UTC(year, number - 1 + months, 1)));
  return { category, month, from: at(0), to: at(1) };
}

/** `access 2025-01` */
export const nameOf = ({ category, month }: Pick<Month, 'category' | 'month'>) =>
  `${category} ${month.slice(0, 7)}`;

/** Whole years that each category is kept, from the end of its month. */
export const YEARS_KEPT: Readonly<Record<string, number>> = {
  modification: 7,
  consent: 7,
  emergency: 7,
  access: 3,
  authentication: 1,
};

/** Until when a month is kept. */
export function keptUntil({ category, month }: Pick<Month, 'category' | 'month'>): Date {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year + (YEARS_KEPT[category] ?? 7), number, 1));
}

/** Whether an entry of a tile is one of this month. */
export function isOfMonth(month: Month, entries: Buffer, at: number): boolean {
  if (entries.toString('latin1', at + 28, at + 30) !== month.category.slice(0, 2)) return false;
  const time = entries.readBigInt64BE(at + 20);
  return time >= month.from && time < month.to;
}
