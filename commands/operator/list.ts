import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, rowFlags, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import { dutiesText } from '../../src/console/operator-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { Operator } from '../../src/platform/operators/index.js';

const COLUMNS: readonly Column<Operator>[] = [
  { name: 'login', value: (one) => one.login },
  {
    name: 'state',
    value: (one) => (one.revoked_at === null ? toned('good', 'active') : toned('muted', 'revoked')),
    keep: true,
  },
  { name: 'duties', value: dutiesText, keep: true },
  { name: 'name', value: (one) => one.name },
  {
    name: 'sign-in',
    value: (one) =>
      toned((one.login_state === 'on') === (one.revoked_at === null) ? 'muted' : 'bad', one.login_state),
  },
  { name: 'registered', value: (one) => one.registered_at },
  { name: 'by', value: (one) => one.registered_by },
  { name: 'e-mail', value: (one) => one.email },
  { name: 'revoked', value: (one) => one.revoked_at },
];

export default class OperatorList extends ConsoleCommand<typeof OperatorList> {
  static override summary = 'List operators, their duties and whether their login is on';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --revoked',
  ];
  static override flags = {
    ...staffFlags,
    ...rowFlags(COLUMNS),
    ...zoneFlags,
    revoked: Flags.boolean({ description: 'also those that were revoked', default: false }),
  };

  async perform(): Promise<Outcome> {
    const { listOperators } = await import('../../src/platform/operators/index.js');
    const { revoked } = this.flags;
    const operators = await this.withSession(['auditor', 'admin'], (session) =>
      listOperators(session, { revoked }),
    );
    return {
      result: { operators },
      view: table(operators, COLUMNS, 'No operators.'),
    };
  }
}
