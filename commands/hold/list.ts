import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, staffFlags, tableFlags, uuidFlag, zoneFlags } from '../../src/console/flags/index.js';
import { HOLD_COLUMNS } from '../../src/console/hold-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class HoldList extends ConsoleCommand<typeof HoldList> {
  static override summary = 'List the legal holds that stand, the next review first';
  static override description =
    'What requests and complaints preserve besides is shown with each request: nestctl request show.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --all --json',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(HOLD_COLUMNS),
    all: Flags.boolean({ description: 'also those that were released', default: false }),
    user: uuidFlag({ description: 'only those on this account', exclusive: ['family', 'child'] }),
    family: uuidFlag({ description: 'only those on this family', exclusive: ['child'] }),
    child: uuidFlag({ description: 'only those on this child' }),
  };

  async perform(): Promise<Outcome> {
    const { listHolds } = await import('../../src/privacy/index.js');
    const { all: released, user, family, child } = this.flags;
    const [subject] = Object.entries({ user, family, child }).flatMap(([kind, id]) =>
      id === undefined ? [] : [{ kind: kind as 'user' | 'family' | 'child', id }],
    );
    const found = await this.withSession(['compliance', 'auditor'], (session) =>
      listHolds(session, { subject, released }),
    );
    const due = found.filter(({ review_due }) => review_due).length;
    if (due > 0)
      this.warning(
        'review_due',
        `${due === 1 ? 'The review of a hold is' : `The reviews of ${due} holds are`} due: nestctl hold review.`,
      );
    const holds = this.sorted(found, HOLD_COLUMNS);
    return {
      result: { holds },
      view: table(holds, HOLD_COLUMNS, released ? 'No hold was ever placed.' : 'No hold stands.'),
    };
  }
}
