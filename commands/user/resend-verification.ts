import { accountChange } from '../../src/console/account-views.js';
import { uuidArg, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class UserResendVerification extends GrantedWrite<typeof UserResendVerification> {
  static override summary = 'Have the verification mail sent again';
  static override description = 'Queued for the application, which sends it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "…" --ticket SUP-1234',
  ];
  static override args = { user: uuidArg({ required: true, description: 'the id of the account' }) };
  static override flags = writeFlags;

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { changeAccount, planAccountChange } = await import('../../src/families/index.js');
    const id = this.args.user;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      return await this.change({
        ...accountChange,
        plan: () => planAccountChange(session, id, 'resend-verification'),
        apply: (plan) => changeAccount(session, plan),
      });
    });
  }
}
