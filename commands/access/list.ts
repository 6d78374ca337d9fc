import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, listFlags, staffFlags, textFlag, zoneFlags } from '../../src/console/flags/index.js';
import { scopeText } from '../../src/console/grant-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, toned } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

export default class AccessList extends ConsoleCommand<typeof AccessList> {
  static override summary = 'List access grants: your own, or as auditor or admin another operator’s';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --ended --operator dev.singh --duty auditor',
  ];
  static override flags = {
    ...staffFlags,
    ...listFlags({ default: 50, max: 1000 }),
    ...zoneFlags,
    ended: Flags.boolean({ description: 'also those that expired or were closed', default: false }),
    operator: textFlag({ description: "an operator's login; auditors and admins only", helpValue: 'LOGIN' }),
  };

  async perform(): Promise<Outcome> {
    const { listAccess } = await import('../../src/access/index.js');
    const { operator, ended, limit, cursor } = this.flags;
    const duties = operator === undefined ? DUTIES : (['auditor', 'admin'] as const);
    const page = await this.withSession(duties, (session) =>
      listAccess(session, { operator, ended, limit, cursor }),
    );
    return {
      result: { grants: page.grants },
      nextCursor: page.nextCursor,
      view: table(
        page.grants,
        [
          { name: 'id', value: (grant) => grant.id },
          {
            name: 'state',
            value: (grant) =>
              grant.live ? toned('good', 'live') : toned('muted', grant.closed_at ? 'closed' : 'expired'),
            keep: true,
          },
          { name: 'kind', value: (grant) => grant.kind },
          { name: 'scope', value: scopeText, keep: true },
          { name: 'duty', value: (grant) => grant.duty },
          { name: 'until', value: (grant) => grant.expires_at },
          { name: 'ticket', value: (grant) => grant.ticket },
          { name: 'reason', value: (grant) => grant.reason },
          { name: 'operator', value: (grant) => grant.operator, extra: true },
          { name: 'opened', value: (grant) => grant.opened_at, extra: true },
          { name: 'closed', value: (grant) => grant.closed_at, extra: true },
        ],
        ended ? 'No access grants.' : 'No live access grants.',
      ),
    };
  }
}
