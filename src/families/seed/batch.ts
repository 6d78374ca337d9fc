import { type FamilyPlan, makeFamily } from './household.js';
import type { Load } from './load-rows.js';
import { type Cell, copyLine, type Row, TABLES } from './rows.js';
import { USAGE_LOG_COLUMNS, usageLogLines } from './usage-logs.js';
import { WeeklyUsage } from './weekly-usage.js';

export interface Batch {
  readonly families: number;
  /** In an order that foreign keys allow. */
  readonly loads: readonly Load[];
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

export interface BatchPlan extends Omit<FamilyPlan, 'number'> {
  /** Number of the first family. */
  readonly from: number;
  readonly families: number;
}

/** Whole families with all their rows, ready to be copied. */
export function makeBatch({ from, families: count, ...plan }: BatchPlan): Batch {
  const families = Array.from({ length: count }, (_, at) => makeFamily({ ...plan, number: from + at }));
  const rows: Record<string, number> = {};
  const loads: Load[] = TABLES.map((table) => {
    const all = families.flatMap((family) => family.rows[table]);
    rows[table] = all.length;
    return loadOf(table, all);
  });

  const logs = new Chunks();
  const weeks: Row[] = [];
  for (const family of families) {
    const weekly = new WeeklyUsage();
    for (const line of usageLogLines(family, plan.days, weekly)) logs.add(line);
    weeks.push(...weekly.rows(family.id, family.random));
  }
  rows.usage_logs = logs.lines;
  rows.usage_analytics = weeks.length;
  loads.push({ table: 'usage_logs', columns: USAGE_LOG_COLUMNS, chunks: logs.all });
  loads.push(loadOf('usage_analytics', weeks));
  return { families: count, loads, rows };
}

function loadOf(table: string, rows: readonly Row[]): Load {
  const columns = Object.keys(rows[0] ?? {});
  const chunks = new Chunks();
  for (const row of rows) chunks.add(copyLine(columns.map((column) => row[column] as Cell)));
  return { table, columns, chunks: chunks.all };
}

const CHUNK = 32_768;

class Chunks {
  readonly all: string[] = [];
  lines = 0;

  add(line: string): void {
    this.lines++;
    const last = this.all.length - 1;
    if (last >= 0 && (this.all[last] as string).length < CHUNK) this.all[last] += line;
    else this.all.push(line);
  }
}
