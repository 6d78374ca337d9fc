import { memberFlags, permissionsFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { memberChange } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class MemberSetPermissions extends GrantedWrite<typeof MemberSetPermissions> {
  static override summary = 'Grant or deny single permissions to a member';
  static override description =
    'Both lists are replaced. A denial wins over the role and over a grant; resource:write means insert, update and delete.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --user gran@example.ca --deny usage:read --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    ...memberFlags,
    grant: permissionsFlag({ description: 'beyond the role', default: [] }),
    deny: permissionsFlag({ description: 'taken away', default: [] }),
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
            verb: 'set-permissions',
            granted: this.flags.grant,
            denied: this.flags.deny,
          }),
        apply: (plan) => changeMember(session, plan),
      });
    });
  }
}
