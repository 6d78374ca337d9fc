import { ConsoleCommand } from '../../src/console/base-command.js';
import { dayFlag, holdArgs, writeFlags } from '../../src/console/flags/index.js';
import { holdDone } from '../../src/console/hold-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class HoldReview extends ConsoleCommand<typeof HoldReview> {
  static override summary = 'Say that a legal hold is still needed, until its next review';
  static override description =
    'The hold stands whether or not its review is due; `maintenance run` and `hold list` tell when it is.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> HOLD-2026-0001 --until 2027-05-01 --reason "counsel: trial set for April"',
  ];
  static override args = holdArgs;
  static override flags = {
    ...writeFlags,
    until: dayFlag({ description: 'the next review, within a year; in 180 days when absent' }),
  };

  async perform(): Promise<Outcome> {
    const { planHoldReview, reviewHold } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planHoldReview(session, number, this.flags.until),
        show: ({ before, review_on }) =>
          details({
            hold: before.number,
            matter: before.matter,
            review: before.review_on,
            'next review': review_on,
          }),
        question: () => `Is ${number} still needed?`,
        apply: (plan) => reviewHold(session, plan),
        done: (hold) => holdDone(hold, `Hold ${hold.number} stands, and is reviewed on ${hold.review_on}.`),
      }),
    );
  }
}
