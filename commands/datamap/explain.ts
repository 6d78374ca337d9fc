import { Args } from '@oclif/core';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, text } from '../../src/console/views.js';

export default class DatamapExplain extends ConsoleCommand<typeof DatamapExplain> {
  static override summary =
    'Say of one column, with the law: whose it is, what for, how long, what erasure does to it';
  static override examples = [
    '<%= config.bin %> <%= command.id %> emergency_profiles.contact_name',
    '<%= config.bin %> <%= command.id %> ops.access_grants.reason --json',
  ];
  static override args = {
    column: Args.string({ required: true, description: 'TABLE.COLUMN, such as usage_logs.notes' }),
  };
  static override flags = staffFlags;

  async perform(): Promise<Outcome> {
    const { explainColumn } = await import('../../src/privacy/index.js');
    const explanation = await this.withSession(['compliance', 'sre', 'admin'], (session) =>
      explainColumn(session, this.args.column),
    );
    const { answer, words, paths, proposed } = explanation;
    return {
      result: explanation,
      view: [
        details({ column: `${answer.table}.${answer.column}`, ...words }),
        ...(proposed
          ? [text('A proposal of ours: somebody who knows the law is to read it.', { mark: 'unknown' })]
          : []),
        ...(paths.length === 0
          ? []
          : [
              heading(`Reached from ${answer.subject}`),
              table(
                paths,
                [
                  { name: 'via', value: ({ via }) => via },
                  { name: 'rows are', value: ({ whose }) => whose },
                  { name: 'where', value: ({ condition }) => condition, keep: true },
                ],
                '',
              ),
            ]),
      ],
    };
  }
}
