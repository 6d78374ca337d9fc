import { ConsoleCommand } from '../../src/console/base-command.js';
import { ERASURE_COLUMNS } from '../../src/console/erasure-run-views.js';
import { Flags, staffFlags, tableFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class ErasureList extends ConsoleCommand<typeof ErasureList> {
  static override summary = 'List the erasures that are scheduled, due or not complete, the first due first';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --format csv',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(ERASURE_COLUMNS),
    all: Flags.boolean({ description: 'also those that were cancelled or are complete', default: false }),
  };

  async perform(): Promise<Outcome> {
    const { listErasures } = await import('../../src/privacy/index.js');
    const { all: ended } = this.flags;
    const found = await this.withSession(['compliance', 'auditor'], (session) =>
      listErasures(session, { ended }),
    );
    const due = found.filter(({ state }) => state === 'due' || state === 'running').length;
    if (due > 0)
      this.warning(
        'due',
        `${due === 1 ? 'An erasure is' : `${due} erasures are`} due or not at the end: nestctl erasure run.`,
      );
    const erasures = this.sorted(found, ERASURE_COLUMNS);
    return {
      result: { erasures },
      view: table(erasures, ERASURE_COLUMNS, ended ? 'None was ever scheduled.' : 'None is scheduled.'),
    };
  }
}
