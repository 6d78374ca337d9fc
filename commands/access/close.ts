import { ConsoleCommand } from '../../src/console/base-command.js';
import { fromList } from '../../src/console/choices.js';
import { Flags, staffFlags, uuidArg } from '../../src/console/flags/index.js';
import { scopeText } from '../../src/console/grant-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

const HOLDERS = ['support', 'compliance', 'admin'] as const;

export default class AccessClose extends ConsoleCommand<typeof AccessClose> {
  static override summary = 'Close an access grant of yours before it expires';
  static override description = 'The reason and ticket of the grant are kept for its closing too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-…',
    '<%= config.bin %> <%= command.id %> --all',
  ];
  static override args = {
    grant: uuidArg({ description: 'its id' }),
  };
  static override flags = {
    ...staffFlags,
    all: Flags.boolean({ description: 'all of your live grants', default: false }),
  };

  protected override readonly choices = {
    grant: fromList('Which grant?', async () => {
      const { listAccess } = await import('../../src/access/index.js');
      const { grants } = await this.withSession(HOLDERS, (session) =>
        listAccess(session, { ended: false, limit: 1000 }),
      );
      return grants.map((grant) => ({ value: grant.id, label: `${scopeText(grant)} · ${grant.ticket}` }));
    }),
  };

  protected override wanted(): string[] {
    return this.flags.all ? [] : ['grant'];
  }

  async perform(): Promise<Outcome> {
    const { closeAccess, planClosing } = await import('../../src/access/index.js');
    const grants = await this.withSession(HOLDERS, async (session) =>
      closeAccess(session, await planClosing(session, { id: this.args.grant, all: this.flags.all })),
    );
    return {
      result: { closed: grants },
      view: table(
        grants,
        [
          { name: 'closed', value: (grant) => grant.id },
          { name: 'scope', value: scopeText },
          { name: 'at', value: (grant) => grant.closed_at },
          { name: 'ticket', value: (grant) => grant.ticket },
        ],
        'You have no live access grants.',
      ),
    };
  }
}
