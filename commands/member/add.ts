import { deadlineFlag, memberFlags, roleFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { withoutVersion } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class MemberAdd extends GrantedWrite<typeof MemberAdd> {
  static override summary = 'Make somebody who has an account a member of a family';
  static override description =
    'The account is looked up in the directory, masked and on record. Whoever has none is invited: invitation create.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --user gran@example.ca --role extended_family --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    ...memberFlags,
    role: roleFlag({ description: 'their role', required: true }),
    until: deadlineFlag({ description: 'when it ends; never when absent' }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { addMember, planMember } = await import('../../src/families/index.js');
    const { family, user, role, until = null } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await this.change({
        plan: async () => {
          await ensureAccess(session, { kind: 'directory' }, this.flags);
          return await planMember(session, user, { family_id: family, role, until });
        },
        show: ({ email, user_id }) =>
          details({ family, member: email, id: user_id, role, until: until ?? 'never' }),
        question: ({ email }) => `Make ${email} a member of family ${family}?`,
        apply: (plan) => addMember(session, plan),
        done: (member) => {
          const back = `nestctl member remove --family ${family} --user ${member.user_id}`;
          return {
            result: { member: withoutVersion(member), way_back: back },
            view: [text(`${member.email} is a member now.`, { mark: 'good' }), details({ 'way back': back })],
            next: `nestctl member list --family ${family}`,
          };
        },
      });
    });
  }
}
