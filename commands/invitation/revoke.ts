import { uuidArg, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { invitationChange } from '../../src/console/invitation-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class InvitationRevoke extends GrantedWrite<typeof InvitationRevoke> {
  static override summary = 'Revoke an invitation that nobody has accepted';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… 0a77c2d1-… --reason "…" --ticket SUP-1234',
  ];
  static override args = { invitation: uuidArg({ required: true, description: 'its id' }) };
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'the family', required: true }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { changeInvitation, planInvitationChange } = await import('../../src/families/index.js');
    const { family } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await this.change({
        ...invitationChange,
        plan: () => planInvitationChange(session, family, this.args.invitation, { verb: 'revoke' }),
        apply: (plan) => changeInvitation(session, plan),
      });
    });
  }
}
