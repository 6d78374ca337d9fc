import { deadlineFlag, memberFlags, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { memberChange } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MemberExtend extends GrantedWrite<typeof MemberExtend> {
  static override summary = 'Set when a membership ends';
  static override description =
    'Later, sooner or never; the database refuses an end that would leave a family with children without its last core member.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --user gran@example.ca --until 2027-11-01 --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    ...memberFlags,
    until: deadlineFlag({ description: 'when it ends', required: true }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { changeMember, planMemberChange } = await import('../../src/families/index.js');
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: this.flags.family }, this.flags);
      return await this.change({
        ...memberChange,
        plan: () =>
          planMemberChange(session, this.flags.family, this.flags.user, {
            verb: 'extend',
            until: this.flags.until,
          }),
        apply: (plan) => changeMember(session, plan),
      });
    });
  }
}
