import type { BlamedColumn } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  archiveFlags,
  eventDuties,
  loggedRowArgs,
  loggedRowFlags,
  serverFlags,
  staffFlags,
  tableFlags,
  zoneFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, text } from '../../src/console/views.js';

const COLUMNS: readonly Column<BlamedColumn>[] = [
  { name: 'column', value: ({ column }) => column, keep: true },
  {
    name: 'value',
    value: ({ value }) => (value === undefined ? null : JSON.stringify(value)),
    raw: ({ value }) => value as string | null,
    keep: true,
  },
  { name: 'by', value: ({ event }) => event.app_user ?? event.session_login, keep: true },
  { name: 'duty', value: ({ event }) => event.duty },
  { name: 'time', value: ({ event }) => event.occurred_at },
  { name: 'event', value: ({ event }) => event.id },
  { name: 'ticket', value: ({ event }) => event.ticket },
  { name: 'reason', value: ({ event }) => event.reason },
];

export default class AuditBlame extends ConsoleCommand<typeof AuditBlame> {
  static override summary = 'Show who last wrote each column of a row, when and why';
  static override description =
    'The values are those of the log. A value that it does not keep, or that the duty does not read, is left empty.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> children 30a1f0c2-…',
    '<%= config.bin %> <%= command.id %> children 30a1… --family 9f3a… --reason "size question" --ticket SUP-1234',
  ];
  static override args = loggedRowArgs;
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...tableFlags(COLUMNS),
    ...zoneFlags,
    ...loggedRowFlags,
    ...archiveFlags,
  };

  async perform(): Promise<Outcome> {
    const { blameRow, readLog, recordReading } = await import('../../src/audit/index.js');
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { table: name, key } = this.args;
    const archive = await this.archiveWish(this.flags);
    const filter = { table: name, key };
    const { columns, deleted, complete } = await this.withReads(
      eventDuties(this.flags),
      async (session, read) => {
        await ensureLogAccess(session, this.flags, this.flags);
        this.warning(
          'archived_months',
          await recordReading(session, { kind: 'blame', filter, archive: archive !== undefined }),
        );
        return await readLog(session, read, { filter, archive }, (reader, within) =>
          blameRow(reader, within),
        );
      },
    );
    if (!complete) {
      this.warning('incomplete', 'The log does not reach back to where the row was inserted.');
    }
    const rows = table(this.sorted(columns, COLUMNS), COLUMNS, 'Nothing that this duty reads.');
    return {
      result: { table: name, key, complete, deleted: deleted ?? null, columns },
      rows,
      view: deleted === undefined ? rows : [text(`Deleted by event ${deleted.id}.`, { mark: 'warn' }), rows],
    };
  }
}
