import { ConsoleCommand } from '../../src/console/base-command.js';
import { dayFlag, Flags, requestArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestConsult extends ConsoleCommand<typeof RequestConsult> {
  static override summary = 'Record that a third party was asked about a request, or answered';
  static override description =
    'What kind of party it is, never who. Whether it consents decides whether its information is severed (PIPEDA s. 9).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --party other_member --on 2026-11-20 --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --party other_member --answer consents --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    party: Flags.option({
      options: ['other_member', 'health_provider', 'processor', 'authority', 'other'],
    })({ description: 'what kind of third party', required: true }),
    on: dayFlag({ description: 'the day it took place; today when absent' }),
    answer: Flags.option({ options: ['consents', 'objects', 'none'] })({
      description: 'what it answered; absent where it was only asked',
    }),
    remark: textFlag({ description: 'a remark', helpValue: 'TEXT' }),
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const { party, on: took_place_on, answer, remark } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () =>
          planStep(session, this.args.number, () => ({
            verb: 'consult',
            party,
            took_place_on,
            answer,
            remark,
          })),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}
