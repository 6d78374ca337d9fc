import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  Flags,
  pastInstant,
  requestArgs,
  sentFlags,
  textFlag,
  writeFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestRefuse extends ConsoleCommand<typeof RequestRefuse> {
  static override summary = 'Refuse a request, with the reasons that the person is given';
  static override description =
    'In writing, with reasons, and with the recourse there is (PIPEDA s. 8(7); Law 25, s. 34). What was asked for is kept until the person can complain no more (s. 8(8)).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --code no_match --told "we hold nothing under that address" --recourse-told --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    code: Flags.option({
      options: [
        ...(['suspected_fraud', 'insuf_verification', 'no_match', 'claim_not_covered'] as const),
        ...(['outside_jurisdiction', 'too_many_requests', 'other'] as const),
      ],
    })({ description: 'the ground, in the words of the Data Rights Protocol', required: true }),
    told: textFlag({
      description: 'the reasons, as the person is given them',
      helpValue: 'TEXT',
      required: true,
    }),
    'recourse-told': Flags.boolean({
      description: 'the refusal tells to whom and until when they can complain',
    }),
    ...sentFlags,
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const { code, told, 'recourse-told': recourse_told = false, sent: at } = this.flags;
    const now = new Date();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () =>
          planStep(session, this.args.number, ({ zone }) => ({
            ...{ verb: 'refuse', code, told, recourse_told },
            answered_at: pastInstant({ at, zone }, now, 'sent') ?? now,
          })),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}
