import { ConsoleCommand } from '../../src/console/base-command.js';
import { type ChangeOfRow, changesOfRow, eventTree } from '../../src/console/event-views.js';
import {
  archiveFlags,
  eventDuties,
  Flags,
  listFlags,
  loggedRowArgs,
  loggedRowFlags,
  serverFlags,
  staffFlags,
  zoneFlags,
  zoneOf,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, text } from '../../src/console/views.js';

const COLUMNS: readonly Column<ChangeOfRow, 'time'>[] = [
  { name: 'event', value: ({ event }) => event.id },
  { name: 'time', value: ({ event }) => event.occurred_at, keep: true, sort: 'time' },
  { name: 'what', value: ({ event }) => event.operation },
  { name: 'by', value: ({ event }) => event.app_user ?? event.session_login },
  { name: 'duty', value: ({ event }) => event.duty },
  { name: 'column', value: ({ column }) => column, keep: true },
  { name: 'before', value: ({ before }) => before },
  { name: 'after', value: ({ after }) => after },
  { name: 'ticket', value: ({ event }) => event.ticket },
  { name: 'reason', value: ({ event }) => event.reason },
];

export default class AuditHistory extends ConsoleCommand<typeof AuditHistory> {
  static override summary = "Show one row's life: who changed what in it, when and why";
  static override description =
    'From its insert on, one line a column that changed. A row keeps its id when it moves to another family, so its life goes on there.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> usage_logs 5c1e77a0-…',
    '<%= config.bin %> <%= command.id %> children 30a1… --family 9f3a… --reason "size question" --ticket SUP-1234',
  ];
  static override args = loggedRowArgs;
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...listFlags({ columns: COLUMNS, default: 100, max: 1000 }),
    ...zoneFlags,
    ...loggedRowFlags,
    ...archiveFlags,
    newest: Flags.boolean({ description: 'begin with what happened last', exclusive: ['sort'] }),
  };

  async perform(): Promise<Outcome> {
    const { eventPlace, queryEvents, readLog, recordReading, unseen } = await import(
      '../../src/audit/index.js'
    );
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { table: name, key } = this.args;
    const { limit, cursor, newest, sort } = this.flags;
    const oldestFirst = !(newest || sort?.descending === true);
    if (cursor !== undefined) eventPlace(cursor, oldestFirst);
    const filter = { table: name, key };
    const paging = { limit, cursor, oldestFirst };
    const archive = await this.archiveWish(this.flags);
    const page = await this.withReads(eventDuties(this.flags), async (session, read) => {
      await ensureLogAccess(session, this.flags, this.flags);
      this.warning(
        'archived_months',
        await recordReading(session, {
          ...{ kind: 'history', filter, goesOn: cursor !== undefined, archive: archive !== undefined },
        }),
      );
      const found = await readLog(session, read, { filter, page: paging, archive }, (reader, within) =>
        queryEvents(reader, within, paging),
      );
      if (found.events.length === 0 && cursor === undefined) throw unseen(name, key, session.duty);
      return found;
    });
    return {
      result: { table: name, key, events: page.events },
      nextCursor: page.nextCursor,
      rows: table(changesOfRow(page.events), COLUMNS, 'Nothing more happened to it.'),
      view:
        page.events.length === 0
          ? text('Nothing more happened to it.')
          : eventTree(page.events, zoneOf(this.flags)),
    };
  }
}
