import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  countFlag,
  Flags,
  pastInstant,
  requestArgs,
  sentFlags,
  textFlag,
  writeFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestExtend extends ConsoleCommand<typeof RequestExtend> {
  static override summary = 'Extend the limit of a request, once the person was told of it';
  static override description =
    'Under PIPEDA by 30 days at most for unreasonable interference or consultations, and by what conversion to another format needs; each once. The notice gives the new limit, the reasons and the right to complain, and is due within 30 days of the date of the request. Law 25 knows no extension.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --ground consultation --told "the other parent has to be asked" --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    ground: Flags.option({
      options: ['unreasonable_interference', 'consultation', 'conversion'] as const,
    })({ description: 'why the limit cannot be met', required: true }),
    days: countFlag({ description: 'how many days more', default: 30, max: 365 }),
    told: textFlag({
      description: 'the reasons, as the notice gives them',
      helpValue: 'TEXT',
      required: true,
    }),
    ...sentFlags,
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const { ground, days, told, sent: at } = this.flags;
    const now = new Date();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () =>
          planStep(session, this.args.number, ({ zone }) => ({
            ...{ verb: 'extend', ground, days, told },
            notice_at: pastInstant({ at, zone }, now, 'sent') ?? now,
          })),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}
