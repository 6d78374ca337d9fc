import type { Activity, Count } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { spanLabel } from '../../src/console/event-views.js';
import {
  archiveFlags,
  countFlag,
  eventDuties,
  eventFilter,
  eventFlags,
  rowFlags,
  serverFlags,
  staffFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { bars, type Column, heading, table, text, type View } from '../../src/console/views.js';
import { formatInstant } from '../../src/platform/zone.js';

interface Row {
  readonly by: string;
  readonly of: string | Date;
  readonly events: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'by', value: ({ by }) => by },
  { name: 'of', value: ({ of }) => of },
  { name: 'events', value: ({ events }) => events, align: 'right' },
];
const DAY = 86_400_000;

export default class AuditStats extends ConsoleCommand<typeof AuditStats> {
  static override summary = 'Chart how much was changed: by time, table, operation and login';
  static override description = 'Of the last day, unless --since says otherwise.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --since 30d --table usage_logs --zone America/Toronto',
    `<%= config.bin %> <%= command.id %> --since 7d --where 'duty is not null'`,
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...rowFlags(COLUMNS),
    ...eventFlags,
    ...archiveFlags,
    top: countFlag({ description: 'how many tables and logins are drawn', default: 10, max: 1000 }),
  };

  async perform(): Promise<Outcome> {
    const { activity, readLog, readWhere, recordReading } = await import('../../src/audit/index.js');
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { filter: asked, zone } = eventFilter(this.flags, readWhere);
    const until = asked.until ?? new Date();
    const filter = { ...asked, until, since: asked.since ?? new Date(until.getTime() - DAY) };
    const archive = await this.archiveWish(this.flags);
    const found = await this.withReads(eventDuties(this.flags), async (session, read) => {
      await ensureLogAccess(session, this.flags, this.flags);
      this.warning(
        'archived_months',
        await recordReading(session, { kind: 'stats', filter, archive: archive !== undefined }),
      );
      return await readLog(session, read, { filter, archive }, (reader, within) =>
        activity(reader, within, zone),
      );
    });
    return {
      result: found,
      rows: table(rowsOf(found), COLUMNS, 'Nothing.'),
      view: this.#charts(found, zone),
    };
  }

  #charts(found: Activity, zone: string): View[] {
    const { since, until, events, span, by_time: byTime } = found;
    const [from, to] = [formatInstant(since, zone), formatInstant(until, zone)];
    return [
      text(`${events.toLocaleString('en-CA')} events from ${from} to ${to}`),
      heading(`By ${span}`),
      bars(byTime.map((one) => ({ label: spanLabel(span, one.from, zone) ?? '', value: one.events }))),
      ...this.#top('table', found.by_table),
      ...this.#top('operation', found.by_operation),
      ...this.#top('login', found.by_login),
    ];
  }

  #top(name: string, counts: readonly Count[]): View[] {
    if (counts.length === 0) return [];
    const { top } = this.flags;
    const rest = counts.slice(top).reduce((sum, { events }) => sum + events, 0);
    const drawn = counts
      .slice(0, top)
      .map(({ label, events }) => ({ label: label.replace(/^public\./, ''), value: events }));
    return [
      heading(`By ${name}`),
      bars(rest === 0 ? drawn : [...drawn, { label: `${counts.length - top} more`, value: rest }]),
    ];
  }
}

function rowsOf({ by_time, by_table, by_operation, by_login, span }: Activity): Row[] {
  const rows = (by: string, counts: readonly Count[]) =>
    counts.map(({ label, events }) => ({ by, of: label, events }));
  return [
    ...by_time.map(({ from, events }) => ({ by: span, of: from, events })),
    ...rows('table', by_table),
    ...rows('operation', by_operation),
    ...rows('login', by_login),
  ];
}
