import { memberFlags, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { memberChange } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MemberReinstate extends GrantedWrite<typeof MemberReinstate> {
  static override summary = 'Make a suspended, inactive or removed membership active again';
  static override description = 'With the role, permissions and end that it had.';
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
        plan: () => planMemberChange(session, this.flags.family, this.flags.user, { verb: 'reinstate' }),
        apply: (plan) => changeMember(session, plan),
      });
    });
  }
}
