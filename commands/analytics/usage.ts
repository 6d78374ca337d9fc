import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  Flags,
  rowFlags,
  serverFlags,
  staffFlags,
  timeRange,
  timeRangeFlags,
  uuidFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { formatDuration } from '../../src/console/time/parse-duration.js';
import {
  bars,
  type Column,
  details,
  heading,
  type TableView,
  table,
  text,
  type View,
} from '../../src/console/views.js';
import type { Computed, WeekOfAll, WeekOfChild } from '../../src/families/index.js';
import { formatInstant } from '../../src/platform/zone.js';

const { until: _, ...since } = timeRangeFlags;

/** Of a family a week has no `families`, of the product no child. */
const COLUMNS: readonly Column<Partial<WeekOfChild & WeekOfAll>>[] = [
  { name: 'week', value: ({ week }) => week },
  { name: 'child', value: ({ child_name }) => child_name },
  { name: 'changes', value: ({ changes }) => changes, align: 'right' },
  { name: 'leakages', value: ({ leakages }) => leakages, align: 'right' },
  { name: 'items', value: ({ items_used }) => items_used, align: 'right' },
  { name: 'events', value: ({ events }) => events, align: 'right' },
  { name: 'families', value: ({ families }) => families, align: 'right' },
  { name: 'children', value: ({ children }) => children, align: 'right' },
  { name: 'child id', value: ({ child_id }) => child_id, extra: true },
];

export default class AnalyticsUsage extends ConsoleCommand<typeof AnalyticsUsage> {
  static override summary = 'Chart usage by week: of a family by child, or of the whole product';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --since 60d --reason "size question" --ticket SUP-1234',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...since,
    ...rowFlags(COLUMNS),
    family: uuidFlag({ description: 'one family; needs an access grant' }),
    refresh: Flags.boolean({
      description:
        'ask the server, also where figures of the whole product were kept here in the last 15 minutes',
    }),
  };

  async perform(): Promise<Outcome> {
    const { since, zone } = timeRange(this.flags);
    const from = since === undefined ? null : formatInstant(since, zone).slice(0, 10);
    return this.flags.family === undefined
      ? await this.#ofAll(from)
      : await this.#ofFamily(this.flags.family, from);
  }

  async #ofFamily(id: string, since: string | null): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { byChild, weeklyUsage } = await import('../../src/families/index.js');
    const usage = await this.withReads(['support', 'compliance', 'admin'], async (session, read) => {
      await ensureAccess(session, { kind: 'family', id }, this.flags);
      return await read((reader) => weeklyUsage(reader, id, since));
    });
    const charts = byChild(usage.weeks).flatMap(({ name, weeks }): View[] => [
      heading(`${name}: changes by week`),
      bars(
        weeks.map(({ week, changes, leakages }) => ({
          label: week,
          value: changes,
          text: `${changes}, ${leakages} leaked`,
        })),
      ),
    ]);
    return { result: usage, rows: rowsOf(usage), view: [...charts, ...age(usage)] };
  }

  async #ofAll(since: string | null): Promise<Outcome> {
    const { weeklyActivity } = await import('../../src/families/index.js');
    const { CACHEABLE, cached } = await import('../../src/platform/cache.js');
    const { operatorTarget } = await import('../../src/platform/config/contexts.js');
    const context = await this.context();
    const { duty, refresh, server } = this.flags;
    const duties = ['sre', 'support', 'compliance', 'auditor', 'admin'] as const;
    const key = { context: context.name, target: operatorTarget(context), duty, question: [since] };
    const { value, age: kept } = await cached(
      CACHEABLE.activity,
      key,
      { refresh: refresh || server !== 'auto' },
      () => this.withReads(duties, (_session, read) => read((reader) => weeklyActivity(reader, since))),
    );
    const at = value.computed_at;
    const usage = { ...value, computed_at: at === null ? null : new Date(at) };
    return {
      result: usage,
      rows: rowsOf(usage),
      view: [
        heading('All families: changes by week'),
        bars(
          usage.weeks.map(({ week, changes, families }) => ({
            label: week,
            value: changes,
            text: `${changes} in ${families} families`,
          })),
        ),
        ...age(usage),
        ...(kept === undefined
          ? []
          : [details({ kept: `${formatDuration(kept)} ago on this machine; --refresh asks the server` })]),
      ],
      cacheAge: kept,
    };
  }
}

function age({ weeks, computed_at: at }: Computed<unknown>): View[] {
  const empty = weeks.length === 0 ? [text('No usage in this time.')] : [];
  if (at === null) return empty;
  const old = formatDuration(Math.max(0, Date.now() - at.getTime()));
  return [...empty, details({ 'as of': at, age: `${old}; compute anew with nestctl analytics refresh` })];
}

function rowsOf({ weeks }: Computed<WeekOfChild | WeekOfAll>): TableView {
  return table<Partial<WeekOfChild & WeekOfAll>>(weeks, COLUMNS, 'No usage in this time.');
}
