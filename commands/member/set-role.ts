import { memberFlags, roleFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { memberChange } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MemberSetRole extends GrantedWrite<typeof MemberSetRole> {
  static override summary = 'Give a member another role';
  static override description =
    'What each role may do is in the table of role_permissions. A family with children keeps its last family_core member.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --user gran@example.ca --role extended_family --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    ...memberFlags,
    role: roleFlag({ description: 'the new role', required: true }),
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
            verb: 'set-role',
            role: this.flags.role,
          }),
        apply: (plan) => changeMember(session, plan),
      });
    });
  }
}
