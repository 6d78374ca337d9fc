import { ConsoleCommand } from '../../src/console/base-command.js';
import { changesOf } from '../../src/console/event-views.js';
import { Args, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table } from '../../src/console/views.js';

export default class AuditShow extends ConsoleCommand<typeof AuditShow> {
  static override summary = 'Show one audit event whole';
  static override examples = ['<%= config.bin %> <%= command.id %> 184467'];
  static override args = {
    event: Args.string({
      required: true,
      description: 'its number',
      parse: async (input) => {
        if (!/^[0-9]{1,18}$/.test(input)) throw new Error(`"${input}" is not the number of an event`);
        return input;
      },
    }),
  };
  static override flags = { ...staffFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { showEvent } = await import('../../src/audit/index.js');
    const event = await this.withSession(['auditor', 'compliance', 'admin', 'support', 'sre'], (session) =>
      showEvent(session, this.args.event),
    );
    const { before: _, after: __, changed_columns, erased_by, ...facts } = event;
    return {
      result: event,
      view: [
        details({ ...facts, changed: changed_columns?.join(' '), 'erased by': erased_by?.join(' ') }),
        heading('Values'),
        table(
          changesOf(event),
          [
            { name: 'column', value: (change) => change.column },
            { name: 'before', value: (change) => change.before, keep: true },
            { name: 'after', value: (change) => change.after, keep: true },
          ],
          'None that this duty reads, or erased.',
        ),
      ],
    };
  }
}
