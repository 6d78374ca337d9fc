import * as Args from '@oclif/core/args';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { erasureOutcome, OUTCOMES } from '../../src/console/erasure-run-views.js';
import { erasureArgs, Flags, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class ErasureSettle extends ConsoleCommand<typeof ErasureSettle> {
  static override summary = 'Put down what became of the data that somebody outside had';
  static override description =
    'An erasure is complete once everybody who had data of theirs from us has confirmed it. The reference says where it can be looked up; it is kept with the erasure and not told in its certificate. Give no name and no address.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 payments --outcome erased --reference "confirmation 88213" --reason "their letter of 12 December" --ticket DSR-21',
  ];
  static override args = {
    ...erasureArgs,
    recipient: Args.string({ required: true, description: 'who, as erasure show names them' }),
  };
  static override flags = {
    ...writeFlags,
    outcome: Flags.option({ options: OUTCOMES })({
      description: 'kept: under an obligation of their own',
      required: true,
    }),
    reference: textFlag({ description: 'by what it can be looked up there', required: true }),
  };

  async perform(): Promise<Outcome> {
    const { planSettlement, settleOutside } = await import('../../src/privacy/index.js');
    const { number: request, recipient } = this.args;
    const { outcome, reference } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planSettlement(session, { request, recipient, outcome, reference }),
        show: (plan) => details({ ...plan }),
        question: () => `Put down that ${recipient} answered: ${outcome.replace('_', ' ')}?`,
        apply: (plan) => settleOutside(session, plan),
        done: ({ erasure, outside }) =>
          erasure.state === 'proven' || erasure.state === 'complete'
            ? erasureOutcome(erasure, outside)
            : { result: { erasure, outside }, view: details({ [recipient]: outcome }) },
      }),
    );
  }
}
