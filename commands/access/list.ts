import type { Grant, GrantSort } from '../../src/access/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, listFlags, staffFlags, textFlag, zoneFlags } from '../../src/console/flags/index.js';
import { scopeText } from '../../src/console/grant-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

const COLUMNS: readonly Column<Grant, GrantSort>[] = [
  { name: 'id', value: (grant) => grant.id },
  { name: 'state', value: (grant) => toned(grant.live ? 'good' : 'muted', stateOf(grant)), keep: true },
  { name: 'kind', value: (grant) => grant.kind, sort: 'kind' },
  { name: 'scope', value: scopeText, keep: true },
  { name: 'duty', value: (grant) => grant.duty, sort: 'duty' },
  { name: 'until', value: (grant) => grant.expires_at, sort: 'expires' },
  { name: 'ticket', value: (grant) => grant.ticket, sort: 'ticket' },
  { name: 'reason', value: (grant) => grant.reason },
  { name: 'operator', value: (grant) => grant.operator, extra: true, sort: 'operator' },
  { name: 'opened', value: (grant) => grant.opened_at, extra: true, sort: 'opened' },
  { name: 'closed', value: (grant) => grant.closed_at, extra: true, sort: 'closed' },
];

export default class AccessList extends ConsoleCommand<typeof AccessList> {
  static override summary = 'List access grants: your own, or as auditor or admin another operator’s';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --ended --operator dev.singh --duty auditor',
  ];
  static override flags = {
    ...staffFlags,
    ...listFlags({ columns: COLUMNS, default: 50, max: 1000 }),
    ...zoneFlags,
    ended: Flags.boolean({ description: 'also those that expired or were closed', default: false }),
    operator: textFlag({ description: "an operator's login; auditors and admins only", helpValue: 'LOGIN' }),
  };

  async perform(): Promise<Outcome> {
    const { listAccess } = await import('../../src/access/index.js');
    const { operator, ended, limit, cursor, sort } = this.flags;
    const duties = operator === undefined ? DUTIES : (['auditor', 'admin'] as const);
    const page = await this.withSession(duties, (session) =>
      listAccess(session, { operator, ended, limit, cursor, sort }),
    );
    return {
      result: { grants: page.grants },
      nextCursor: page.nextCursor,
      view: table(page.grants, COLUMNS, ended ? 'No access grants.' : 'No live access grants.'),
    };
  }
}

function stateOf({ live, closed_at }: Grant): string {
  if (live) return 'live';
  return closed_at === null ? 'expired' : 'closed';
}
