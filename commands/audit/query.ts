import type { AuditEvent, EventGroup, Grouping } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { eventTree, groupTable } from '../../src/console/event-views.js';
import {
  archiveFlags,
  eventDuties,
  eventFilter,
  eventFlags,
  Flags,
  listFlags,
  serverFlags,
  staffFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table as rowsOf } from '../../src/console/views.js';

const COLUMNS: readonly Column<AuditEvent, 'time'>[] = [
  { name: 'event', value: (event) => event.id },
  { name: 'time', value: (event) => event.occurred_at, keep: true, sort: 'time' },
  { name: 'what', value: (event) => event.operation, keep: true },
  {
    name: 'table',
    value: (event) => event.table_name.replace(/^public\./, ''),
    raw: (event) => event.table_name,
    keep: true,
  },
  { name: 'by', value: (event) => event.app_user ?? event.session_login },
  { name: 'duty', value: (event) => event.duty },
  { name: 'changed', value: (event) => changedColumns(event), raw: (event) => event.changed_columns },
  { name: 'ticket', value: (event) => event.ticket },
  { name: 'reason', value: (event) => event.reason },
  { name: 'row', value: (event) => event.record, extra: true },
  { name: 'family', value: (event) => event.family_id, extra: true },
  { name: 'person', value: (event) => event.subject_user, extra: true },
  { name: 'login', value: (event) => event.session_login, extra: true },
  { name: 'request', value: (event) => event.request_id, extra: true },
  { name: 'category', value: (event) => event.category, extra: true },
  { name: 'before', value: (event) => asJson(event.before), raw: (event) => event.before, extra: true },
  { name: 'after', value: (event) => asJson(event.after), raw: (event) => event.after, extra: true },
];

const GROUPINGS = [
  ...['hour', 'day', 'week', 'month', 'table', 'operation', 'category', 'login', 'operator', 'duty'],
  ...['request', 'by', 'person', 'family', 'ticket'],
] as Grouping[];

export default class AuditQuery extends ConsoleCommand<typeof AuditQuery> {
  static override summary = 'Find audit events: who changed what, when and why';
  static override description =
    'With --family or --user the duty is support, within an access grant, unless --duty says otherwise; without, auditor. What was asked is itself in the audit log.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 3h --table usage_logs --operation delete',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --since 2026-11-20 --zone America/Toronto --values',
    '<%= config.bin %> <%= command.id %> --operator dev.singh --ticket SUP-1234 --json',
    `<%= config.bin %> <%= command.id %> --where 'table = usage_logs and operation in (update, delete) and new.notes ~ "night"'`,
    '<%= config.bin %> <%= command.id %> --since 7d --group-by day,table',
    '<%= config.bin %> <%= command.id %> --since 2024-01-01 --until 2024-06-30 --table children --include-archive',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...listFlags({ columns: COLUMNS, default: 20, max: 1000 }),
    ...eventFlags,
    ...archiveFlags,
    'group-by': Flags.option({ options: GROUPINGS, multiple: true, delimiter: ',' as const })({
      description: 'count them instead, by one or more of these',
      exclusive: ['values', 'sort', 'cursor', 'columns'],
    }),
    values: Flags.boolean({ description: 'show values before and after, one line a column' }),
  };

  async perform(): Promise<Outcome> {
    const { eventPlace, groupEvents, queryEvents, readLog, readWhere, recordReading } = await import(
      '../../src/audit/index.js'
    );
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { limit, cursor, sort, 'group-by': by } = this.flags;
    const { filter, zone } = eventFilter(this.flags, readWhere);
    const oldestFirst = sort?.descending === false;
    if (cursor !== undefined) eventPlace(cursor, oldestFirst);
    const archive = await this.archiveWish(this.flags);
    return await this.withReads(eventDuties(this.flags), async (session, read) => {
      await ensureLogAccess(session, this.flags, this.flags);
      const record = async (kind: 'group' | 'query', more?: { readonly by?: readonly string[] }) =>
        this.warning(
          'archived_months',
          await recordReading(session, {
            ...{ kind, filter, goesOn: cursor !== undefined, archive: archive !== undefined },
            ...(more && { more }),
          }),
        );
      if (by !== undefined) {
        await record('group', { by });
        const { groups, more } = await readLog(session, read, { filter, archive }, (reader, within) =>
          groupEvents(reader, within, { by, zone, limit }),
        );
        if (more) this.warning('more_groups', `More than ${limit} groups: --limit shows up to 1000.`);
        return { result: { groups: groups.map(flat) }, view: groupTable(groups, by, zone) };
      }
      await record('query');
      const paging = { limit, cursor, oldestFirst };
      const page = await readLog(session, read, { filter, page: paging, archive }, (reader, within) =>
        queryEvents(reader, within, paging),
      );
      const rows = rowsOf(page.events, COLUMNS, 'No event matches.');
      return {
        result: { events: page.events },
        nextCursor: page.nextCursor,
        rows,
        view: this.flags.values && page.events.length > 0 ? eventTree(page.events, zone) : rows,
      };
    });
  }
}

function flat({ key, ...counts }: EventGroup) {
  return { ...key, ...counts };
}

function changedColumns(event: AuditEvent): string | undefined {
  return event.changed_columns?.filter((name) => name !== 'updated_at').join(' ') || undefined;
}

function asJson(image: AuditEvent['before']): string | null {
  return image === null ? null : JSON.stringify(image);
}
