import { planText, stateCell } from '../../src/console/approval-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, listFlags, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table } from '../../src/console/views.js';
import type { Approval, ApprovalSort } from '../../src/platform/approvals/index.js';
import { DUTIES } from '../../src/platform/database/duties.js';

const COLUMNS: readonly Column<Approval, ApprovalSort>[] = [
  { name: 'request', value: (one) => one.id },
  { name: 'state', value: stateCell, keep: true },
  { name: 'would', value: planText, keep: true },
  { name: 'action', value: (one) => one.action, extra: true, sort: 'action' },
  { name: 'asked by', value: (one) => one.requested_by, sort: 'requester' },
  { name: 'duty', value: (one) => one.approver_duty, sort: 'duty' },
  { name: 'until', value: (one) => one.expires_at, sort: 'expires' },
  { name: 'ticket', value: (one) => one.ticket, sort: 'ticket' },
  { name: 'reason', value: (one) => one.reason },
  { name: 'asked', value: (one) => one.requested_at, extra: true, sort: 'requested' },
  { name: 'decided by', value: (one) => one.decided_by, extra: true, sort: 'decider' },
];

export default class ApprovalList extends ConsoleCommand<typeof ApprovalList> {
  static override summary = 'List requests for approval: yours, and those that a duty of yours decides';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --for-me',
    '<%= config.bin %> <%= command.id %> --ended',
  ];
  static override flags = {
    ...staffFlags,
    ...listFlags({ columns: COLUMNS, default: 50, max: 1000 }),
    ...zoneFlags,
    'for-me': Flags.boolean({ description: 'only requests of others', default: false }),
    ended: Flags.boolean({ description: 'also those decided against, used or expired', default: false }),
  };

  async perform(): Promise<Outcome> {
    const { listApprovals } = await import('../../src/platform/approvals/index.js');
    const { ended, limit, cursor, sort, 'for-me': forMe } = this.flags;
    const page = await this.withSession(DUTIES, (session) =>
      listApprovals(session, { forMe, ended, limit, cursor, sort }),
    );
    return {
      result: { approvals: page.approvals },
      nextCursor: page.nextCursor,
      view: table(page.approvals, COLUMNS, ended ? 'No requests.' : 'No requests are open.'),
    };
  }
}
