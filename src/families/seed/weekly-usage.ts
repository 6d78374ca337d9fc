import { isoDay } from './calendar.js';
import type { Child } from './children.js';
import type { Random } from './random.js';
import type { Row } from './rows.js';

interface Week {
  readonly child: Child;
  readonly monday: number;
  readonly hours: number[];
  longest: number;
  shortest: number;
}

/** Counts a family's changes by child and week while its logs are made: the rows of usage_analytics. */
export class WeeklyUsage {
  readonly #weeks = new Map<string, Week>();

  /** `day` in days since 1970-01-01; `since` the milliseconds after the change before, 0 for the first. */
  add(child: Child, day: number, hour: number, since: number): void {
    const monday = day - ((day + 3) % 7);
    const key = `${child.id} ${monday}`;
    let week = this.#weeks.get(key);
    if (week === undefined) {
      week = {
        child,
        monday,
        hours: new Array<number>(24).fill(0),
        longest: 0,
        shortest: Number.POSITIVE_INFINITY,
      };
      this.#weeks.set(key, week);
    }
    week.hours[hour] = (week.hours[hour] ?? 0) + 1;
    if (since === 0) return;
    week.longest = Math.max(week.longest, since);
    week.shortest = Math.min(week.shortest, since);
  }

  rows(familyId: string, random: Random): Row[] {
    return [...this.#weeks.values()].map(({ child, monday, hours, longest, shortest }) => {
      const count = hours.reduce((sum, one) => sum + one, 0);
      return {
        family_id: familyId,
        id: random.uuid(),
        child_id: child.id,
        period: 'week',
        period_start: isoDay(monday),
        change_count: count,
        hourly_distribution: hours,
        cost_cad: (count * 0.32).toFixed(2),
        longest_gap: longest === 0 ? null : `${longest / 1000} seconds`,
        shortest_gap: longest === 0 ? null : `${shortest / 1000} seconds`,
        size: child.size,
      };
    });
  }
}
