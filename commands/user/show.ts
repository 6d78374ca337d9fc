import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, uuidArg, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, toned } from '../../src/console/views.js';

export default class UserShow extends ConsoleCommand<typeof UserShow> {
  static override summary = 'Show an account and its families; needs an access grant for the person';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "cannot sign in" --ticket SUP-1234',
  ];
  static override args = { user: uuidArg({ required: true, description: 'the id of the account' }) };
  static override flags = { ...staffFlags, ...zoneFlags };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { showAccount } = await import('../../src/families/index.js');
    const id = this.args.user;
    const { seen, ...account } = await this.withSession(
      ['support', 'compliance', 'admin'],
      async (session) => {
        await ensureAccess(session, { kind: 'user', id }, this.flags);
        return await showAccount(session, id);
      },
    );
    return {
      result: account,
      view: [
        details({
          account: account.email,
          id,
          name: account.display_name,
          status: account.status === 'active' ? toned('good', account.status) : toned('bad', account.status),
          'address verified': account.email_verified_at ?? toned('bad', 'no'),
          'last sign-in': account.last_login_at,
          'failed sign-ins': account.failed_login_attempts,
          'locked until': account.locked_until ?? undefined,
          where: [account.province, account.timezone].filter((part) => part !== null).join(', '),
          language: account.language,
          since: account.created_at,
        }),
        heading('Families'),
        table(
          account.families,
          [
            { name: 'family', value: ({ family_id }) => family_id },
            { name: 'name', value: ({ name }) => name },
            { name: 'role', value: ({ role }) => role, keep: true },
            {
              name: 'status',
              value: ({ status }) => (status === 'active' ? toned('good', status) : toned('bad', status)),
              keep: true,
            },
            { name: 'until', value: ({ access_expires_at }) => access_expires_at },
            { name: 'archived', value: ({ archived_at }) => archived_at },
          ],
          'A member of no family.',
        ),
      ],
    };
  }
}
