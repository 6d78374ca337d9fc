import { memberFlags, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { memberChange } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MemberSuspend extends GrantedWrite<typeof MemberSuspend> {
  static override summary = 'Suspend a membership, which can be reinstated';
  static override description =
    'The member sees nothing of the family meanwhile; their account and other families are left alone.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --user gran@example.ca --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    ...memberFlags,
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { changeMember, planMemberChange } = await import('../../src/families/index.js');
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: this.flags.family }, this.flags);
      return await this.change({
        ...memberChange,
        plan: () => planMemberChange(session, this.flags.family, this.flags.user, { verb: 'suspend' }),
        apply: (plan) => changeMember(session, plan),
      });
    });
  }
}
