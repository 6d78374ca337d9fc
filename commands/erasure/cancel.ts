import { ConsoleCommand } from '../../src/console/base-command.js';
import { erasureDetails } from '../../src/console/erasure-run-views.js';
import { requestArgs, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class ErasureCancel extends ConsoleCommand<typeof ErasureCancel> {
  static override summary = 'Take back an erasure that has not begun';
  static override description =
    'The account, and how it is notified, are as they were. What has begun cannot be taken back. The request is answered by none of this: request withdraw or request refuse does that.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --reason "she changed her mind, call of 9 November" --ticket DSR-21',
  ];
  static override args = requestArgs;
  static override flags = { ...writeFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { cancelErasure, planCancel } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planCancel(session, number),
        show: erasureDetails,
        question: ({ person }) => `Open the account ${person} again, and erase nothing?`,
        apply: (erasure) => cancelErasure(session, erasure),
        done: (erasure) => ({
          result: { erasure },
          view: text('It is cancelled: the account and how it is notified are as they were.', {
            mark: 'good',
          }),
          next: `nestctl request show ${number}`,
        }),
      }),
    );
  }
}
