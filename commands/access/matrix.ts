import { ConsoleCommand } from '../../src/console/base-command.js';
import { plannedRoleFlag, rowFlags, staffFlags, uuidFlag } from '../../src/console/flags/index.js';
import { MATRIX_COLUMNS, matrixRows, matrixViews } from '../../src/console/matrix-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class AccessMatrix extends ConsoleCommand<typeof AccessMatrix> {
  static override summary = 'Show what each member of a family may do to each table; needs an access grant';
  static override description =
    `The policies are evaluated by the database as each member, at this moment, on rows made up for it: of the member and of another, of today and of long ago. No row is read. An insert is of a row in their own name (own) or in anybody's (all). The questions are on record before they are answered.

With --compare the same again as it would be with other roles, and what would change. The roles are tried in a savepoint that is rolled back.

Exit code 9 where something could not be decided.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --compare gran@example.ca=professional',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --format csv --output matrix.csv',
  ];
  static override flags = {
    ...staffFlags,
    ...rowFlags(MATRIX_COLUMNS),
    family: uuidFlag({ description: 'the family', required: true }),
    compare: plannedRoleFlag({
      description: 'a role that a member might get; may be given several times',
      multiple: true,
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { accessMatrix } = await import('../../src/access/index.js');
    const { family, compare } = this.flags;
    const matrix = await this.withSession(['support', 'compliance', 'admin'], (session) =>
      accessMatrix(session, { family, compare }, this.flags),
    );
    const unknown = matrix.lines.some(({ cells, planned }) =>
      [cells, planned ?? {}].some((one) => Object.values(one).includes('unknown')),
    );
    return {
      result: matrix,
      view: matrixViews(matrix),
      rows: matrixRows(matrix),
      verdict: unknown ? 'partial' : undefined,
    };
  }
}
