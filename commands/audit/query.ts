import type { AuditEvent } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { eventTree } from '../../src/console/event-views.js';
import {
  Flags,
  listFlags,
  serverFlags,
  staffFlags,
  textFlag,
  timeRange,
  timeRangeFlags,
  uuidFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table as rowsOf } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

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

export default class AuditQuery extends ConsoleCommand<typeof AuditQuery> {
  static override summary = 'Find audit events: who changed what, when and why';
  static override description =
    'With --family or --user the duty is support, within an access grant, unless --duty says otherwise; without, auditor.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 3h --table usage_logs --operation delete',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --since 2026-11-20 --zone America/Toronto --values',
    '<%= config.bin %> <%= command.id %> --operator dev.singh --ticket SUP-1234 --json',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...listFlags({ columns: COLUMNS, default: 20, max: 1000 }),
    ...timeRangeFlags,
    family: uuidFlag({ description: 'of one family' }),
    user: uuidFlag({ description: 'by or about one person' }),
    operator: textFlag({ description: 'by one operator', helpValue: 'LOGIN' }),
    'by-duty': Flags.option({ options: DUTIES })({ description: 'by operators under one duty' }),
    table: textFlag({ description: 'of one table; of public where no schema is named' }),
    operation: Flags.option({ options: ['insert', 'update', 'delete'] as const })({
      description: 'of one kind',
    }),
    key: textFlag({ description: "of one row: its id, or its key's parts joined by /" }),
    request: textFlag({ description: 'of one request, or one run of a command' }),
    'with-ticket': textFlag({ description: 'under one ticket', helpValue: 'ID' }),
    values: Flags.boolean({ description: 'show values before and after, one line a column' }),
  };

  async perform(): Promise<Outcome> {
    const { eventPlace, queryEvents } = await import('../../src/audit/index.js');
    const { ensureAccess, ensureSomeAccess } = await import('../../src/access/index.js');
    const { family, user, operator, table, operation, key, request, limit, cursor, sort } = this.flags;
    const { since, until, zone } = timeRange(this.flags);
    const oldestFirst = sort?.descending === false;
    if (cursor !== undefined) eventPlace(cursor, oldestFirst);
    const duty = this.flags['by-duty'];
    const ticket = this.flags['with-ticket'];
    const filter = { family, user, operator, duty, table, operation, key, request, ticket, since, until };
    const scoped = family !== undefined || user !== undefined;
    const duties = scoped
      ? (['support', 'auditor', 'compliance', 'admin', 'sre'] as const)
      : (['auditor', 'sre', 'compliance', 'admin', 'support'] as const);
    const page = await this.withReads(duties, async (session, read) => {
      if (session.duty === 'support') {
        if (family !== undefined) await ensureAccess(session, { kind: 'family', id: family }, this.flags);
        else if (user !== undefined) await ensureAccess(session, { kind: 'user', id: user }, this.flags);
        else await ensureSomeAccess(session);
      }
      return await read((reader) => queryEvents(reader, filter, { limit, cursor, oldestFirst }));
    });
    const rows = rowsOf(page.events, COLUMNS, 'No event matches.');
    return {
      result: { events: page.events },
      nextCursor: page.nextCursor,
      rows,
      view: this.flags.values && page.events.length > 0 ? eventTree(page.events, zone) : rows,
    };
  }
}

function changedColumns(event: AuditEvent): string | undefined {
  return event.changed_columns?.filter((name) => name !== 'updated_at').join(' ') || undefined;
}

function asJson(image: AuditEvent['before']): string | null {
  return image === null ? null : JSON.stringify(image);
}
