import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { heading, table, text, toned } from '../../src/console/views.js';

export default class AuditCoverage extends ConsoleCommand<typeof AuditCoverage> {
  static override summary = 'Check that everything that changed is in the audit log';
  static override description =
    'Holds each row against the last image that the log has of it, counts rows and records, and looks whether the ' +
    'triggers that write the log are on. It finds what no verification of the log can: what was never logged, since ' +
    'triggers were off. Exit code 3: something is not in the log.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --table usage_logs',
  ];
  static override flags = {
    ...staffFlags,
    table: textFlag({ description: 'only this table', helpValue: 'NAME', multiple: true }),
  };

  async perform(): Promise<Outcome> {
    const { checkCoverage, qualified } = await import('../../src/audit/index.js');
    const only = this.flags.table?.map(qualified);
    const coverage = await this.withSession(['auditor', 'compliance', 'admin'], (session) =>
      checkCoverage(session, { only, onTable: (name) => this.progress(`comparing ${name}`) }),
    );
    const { tables, uncovered, faults } = coverage;
    return {
      result: coverage,
      view: [
        table(
          tables,
          [
            { name: 'table', value: ({ table: name }) => name },
            { name: 'rows', value: ({ rows }) => rows, align: 'right', keep: true },
            { name: 'logged', value: ({ logged }) => logged, align: 'right' },
            { name: 'before the log', value: ({ before_log }) => before_log, align: 'right' },
            {
              name: 'faults',
              value: ({ faults: count }) => (count === 0 ? 0 : toned('bad', count)),
              raw: ({ faults: count }) => count,
              align: 'right',
              keep: true,
            },
            {
              name: 'triggers off',
              value: ({ triggers_off: off }) => off.length > 0 && toned('bad', off.join(' ')),
            },
          ],
          'No table is captured by that name.',
        ),
        ...(uncovered.length === 0
          ? []
          : [
              heading('Not in the log'),
              table(
                uncovered,
                [
                  { name: 'table', value: ({ table: name }) => name },
                  { name: 'row', value: ({ record }) => record, keep: true },
                  { name: 'family', value: ({ family_id: family }) => family },
                  {
                    name: 'what',
                    value: ({ kind }) => kind.replace('_', ' '),
                    raw: ({ kind }) => kind,
                    keep: true,
                  },
                  { name: 'columns', value: ({ columns }) => columns?.join(' ') },
                ],
                'Nothing.',
              ),
            ]),
        faults === 0
          ? text('Every row is what the log says of it, and every trigger is on.', { mark: 'good' })
          : text(`${faults} faults: not everything that changed is in the log.`, { mark: 'bad' }),
      ],
      verdict: faults > 0 ? 'finding' : undefined,
    };
  }
}
