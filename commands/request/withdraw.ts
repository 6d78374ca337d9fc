import { ConsoleCommand } from '../../src/console/base-command.js';
import { requestArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestWithdraw extends ConsoleCommand<typeof RequestWithdraw> {
  static override summary = 'End a request that the person took back';
  static override description = 'Its clock stops, and nothing is kept for its sake any more.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --told "they wrote that it is settled" --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    told: textFlag({ description: 'how they took it back', helpValue: 'TEXT' }),
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const { told } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () => planStep(session, this.args.number, () => ({ verb: 'withdraw', told })),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}
