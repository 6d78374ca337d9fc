import * as Args from '@oclif/core/args';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { consentFlags, whyFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { restoreDetails } from '../../src/console/restore-views.js';
import { text } from '../../src/console/views.js';

export default class RestoreDiscard extends ConsoleCommand<typeof RestoreDiscard> {
  static override summary = 'Stop a restored instance and remove all of it';
  static override description =
    'What was restored holds everybody’s data: it is removed as soon as nobody needs it. Backups and the live database are not touched.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --reason "the family is back" --ticket OPS-9',
    '<%= config.bin %> <%= command.id %> 20261201-114500 --yes --reason "the drill is over"',
  ];
  static override args = {
    restore: Args.string({ description: 'as restore status names it; the newest when absent' }),
  };
  static override flags = { ...whyFlags, ...consentFlags };

  async perform(): Promise<Outcome> {
    const { discardRestore, findRestore } = await import('../../src/recovery/index.js');
    await this.why();
    return await this.change({
      plan: () => findRestore(this.args.restore),
      show: (restore) => restoreDetails(restore),
      question: ({ id }) => `Stop and remove restore ${id}?`,
      apply: ({ id }) => discardRestore(id),
      done: (_, { id }) => ({
        result: { discarded: id },
        view: text(`Restore ${id} is gone.`, { mark: 'good' }),
      }),
    });
  }
}
