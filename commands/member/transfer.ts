import { personFlag, roleFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { withoutVersion } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class MemberTransfer extends GrantedWrite<typeof MemberTransfer> {
  static override summary = "Hand a family's core role from one member to another";
  static override description =
    'In one transaction, so that a family with children is never without a family_core member.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --from mom@example.ca --to dad@example.ca --then extended_family --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'the family', required: true }),
    from: personFlag({ description: 'who has the role', required: true }),
    to: personFlag({ description: 'who is to have it', required: true }),
    // biome-ignore lint/suspicious/noThenProperty: a flag by that name
    then: roleFlag({ description: 'what the giver is afterwards', default: 'extended_family' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { planCoreTransfer, transferCore } = await import('../../src/families/index.js');
    const { family, from, to, then: then_role } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await this.change({
        plan: () => planCoreTransfer(session, family, { from, to, then_role }),
        show: (plan) =>
          details({
            family,
            [plan.from.email]: `${plan.from.role} → ${then_role}`,
            [plan.to.email]: `${plan.to.role} → family_core`,
          }),
        question: (plan) => `Hand the core role of family ${family} to ${plan.to.email}?`,
        apply: (plan) => transferCore(session, plan),
        done: ([giver, taker], plan) => {
          const back = `nestctl member transfer --family ${family} --from ${taker.user_id} --to ${giver.user_id} --then ${plan.to.role}`;
          return {
            result: { from: withoutVersion(giver), to: withoutVersion(taker), way_back: back },
            view: [
              text(`${taker.email} is family_core now, ${giver.email} ${giver.role}.`, { mark: 'good' }),
              details({ 'way back': back }),
            ],
            next: `nestctl member list --family ${family}`,
          };
        },
      });
    });
  }
}
