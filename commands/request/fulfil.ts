import { ConsoleCommand } from '../../src/console/base-command.js';
import { pastInstant, requestArgs, sentFlags, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestFulfil extends ConsoleCommand<typeof RequestFulfil> {
  static override summary = 'End a request as answered';
  static override description =
    'Identity verified, and a cost that was told accepted or waived. Says what answered it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --told "package of 2026-11-27, 12 tables" --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    told: textFlag({ description: 'what answered it', helpValue: 'TEXT', required: true }),
    ...sentFlags,
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const { told, sent: at } = this.flags;
    const now = new Date();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () =>
          planStep(session, this.args.number, ({ zone }) => ({
            ...{ verb: 'fulfil', told },
            answered_at: pastInstant({ at, zone }, now, 'sent') ?? now,
          })),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}
