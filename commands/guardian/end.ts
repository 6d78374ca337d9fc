import { dayFlag, Flags, uuidArg, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { END_GROUNDS, guardianDone, guardianName } from '../../src/console/guardian-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class GuardianEnd extends GrantedWrite<typeof GuardianEnd> {
  static override summary = 'Record that somebody no longer stands for a child';
  static override description =
    'The record stays, with who ended it and why. What was entered in error never held. Other limits by a court are recorded by ending the one and adding another from the same day on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 0a77c2d1-… --family 9f3a0c1e-… --because court_order --on 2026-11-20 --reason "…" --ticket PRIV-12',
  ];
  static override args = { guardian: uuidArg({ required: true, description: 'the id of the record' }) };
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'the family of the child', required: true }),
    because: Flags.option({ options: END_GROUNDS })({ description: 'on what ground', required: true }),
    on: dayFlag({ description: 'the first day on which it no longer holds; today when absent' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { endGuardian, planGuardianEnding } = await import('../../src/privacy/index.js');
    const { family, because: ground, on } = this.flags;
    return await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await this.change({
        plan: () => planGuardianEnding(session, family, this.args.guardian, { on, ground }),
        show: (plan) =>
          details({
            guardian: guardianName(plan.before),
            child: plan.before.child_id,
            basis: plan.before.basis,
            from: plan.before.from_date,
            'holds no longer from': ground === 'entered_in_error' ? 'the beginning' : plan.on,
            because: ground,
          }),
        question: ({ before }) => `End that ${guardianName(before)} stands for child ${before.child_id}?`,
        apply: (plan) => endGuardian(session, plan),
        done: (guardian) =>
          guardianDone(guardian, `${guardianName(guardian)} no longer stands for the child.`),
      });
    });
  }
}
