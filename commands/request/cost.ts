import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, requestArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';
import { NestctlError } from '../../src/platform/errors.js';
import type { StepWish } from '../../src/privacy/index.js';

export default class RequestCost extends ConsoleCommand<typeof RequestCost> {
  static override summary = 'Record what a request would cost the person, and whether they go on with it';
  static override description =
    'Only where the approximate cost was told and the request is gone on with may anything be charged (PIPEDA s. 8(6)); at minimal or no cost (principle 4.9.4).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --estimate 12.50 --told "printing of 180 pages" --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --accepted --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    estimate: Flags.string({
      description: 'the approximate cost that was told, in Canadian dollars',
      helpValue: '12.50',
    }),
    told: textFlag({ description: 'what it is for', helpValue: 'TEXT' }),
    accepted: Flags.boolean({ description: 'the person goes on with it', exclusive: ['estimate', 'waived'] }),
    waived: Flags.boolean({ description: 'nothing is charged', exclusive: ['estimate'] }),
  };

  async perform(): Promise<Outcome> {
    const { planStep, takeStep } = await import('../../src/privacy/index.js');
    const wish = costWish(this.flags);
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: () => planStep(session, this.args.number, () => wish),
        apply: (plan) => takeStep(session, plan),
      }),
    );
  }
}

interface CostFlags {
  readonly estimate?: string | undefined;
  readonly told?: string | undefined;
  readonly accepted?: boolean;
  readonly waived?: boolean;
}

function costWish({ estimate, told, accepted, waived }: CostFlags): StepWish {
  if (accepted === true || waived === true)
    return { verb: 'cost', settled: accepted === true ? 'accepted' : 'waived' };
  if (
    estimate !== undefined &&
    told !== undefined &&
    /^\d{1,6}(\.\d{2})?$/.test(estimate) &&
    Number(estimate) > 0
  )
    return { verb: 'cost', amount: estimate, told };
  throw new NestctlError(
    'Say what was told (--estimate 12.50 --told "…"), or that it was --accepted or --waived.',
    {
      kind: 'usage',
      code: 'usage',
      next: 'nestctl request cost --help',
    },
  );
}
