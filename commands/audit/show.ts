import { ConsoleCommand } from '../../src/console/base-command.js';
import { changesOf, erasureOf } from '../../src/console/event-views.js';
import { Args, archiveFlags, argParser, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table } from '../../src/console/views.js';

const READERS = ['auditor', 'compliance', 'admin', 'support', 'sre'] as const;
const ARCHIVE_READERS = READERS.filter((duty) => duty !== 'support');

export default class AuditShow extends ConsoleCommand<typeof AuditShow> {
  static override summary = 'Show one audit event whole';
  static override examples = ['<%= config.bin %> <%= command.id %> 184467'];
  static override args = {
    event: Args.string({
      required: true,
      description: 'its number',
      parse: argParser((input) => {
        if (!/^[0-9]{1,18}$/.test(input)) throw new Error(`"${input}" is not the number of an event`);
        return input;
      }),
    }),
  };
  static override flags = { ...staffFlags, ...zoneFlags, ...archiveFlags };

  async perform(): Promise<Outcome> {
    const { recordReading, showEvent } = await import('../../src/audit/index.js');
    const { event: id } = this.args;
    const archive = await this.archiveWish(this.flags);
    const event = await this.withSession(
      archive === undefined ? READERS : ARCHIVE_READERS,
      async (session) => {
        await recordReading(session, { kind: 'show', more: { event: id }, archive: archive !== undefined });
        return await showEvent(session, id, archive);
      },
    );
    const changes = changesOf(event);
    return {
      result: event,
      view: [
        details({
          event: event.id,
          time: event.occurred_at,
          what: `${event.operation} ${event.table_name}`,
          row: event.record,
          changed: event.changed_columns?.join(' ') || undefined,
          'done by': event.app_user === null ? event.session_login : `user ${event.app_user}`,
          login: event.session_login,
          duty: event.duty,
          ticket: event.ticket,
          reason: event.reason,
          family: event.family_id,
          person: event.subject_user,
          request: event.request_id,
          category: event.category,
          erased: erasureOf(event),
          transaction: `${event.xid} of epoch ${event.epoch}`,
          leaf: event.leaf,
        }),
        heading('Values'),
        event.operation === 'update'
          ? table(
              changes,
              [
                { name: 'column', value: (change) => change.column },
                { name: 'before', value: (change) => change.before, keep: true },
                { name: 'after', value: (change) => change.after, keep: true },
              ],
              NOTHING,
            )
          : table(
              changes,
              [
                { name: 'column', value: (change) => change.column },
                {
                  name: event.operation === 'insert' ? 'inserted' : 'deleted',
                  value: (change) => change.after ?? change.before,
                  keep: true,
                },
              ],
              NOTHING,
            ),
      ],
    };
  }
}

const NOTHING = 'None that this duty reads, or erased.';
