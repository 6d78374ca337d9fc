import { fromApprovals } from '../../src/console/approval-choice.js';
import { approvalDetails } from '../../src/console/approval-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, uuidArg, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { DUTIES } from '../../src/platform/database/duties.js';

export default class ApprovalShow extends ConsoleCommand<typeof ApprovalShow> {
  static override summary =
    'Show a request for approval: the exact plan, who asked and why, what became of it';
  static override examples = ['<%= config.bin %> <%= command.id %> 5c1e07d2-…'];
  static override args = { request: uuidArg({ description: 'its id', required: true }) };
  static override flags = { ...staffFlags, ...zoneFlags };

  protected override readonly choices = {
    request: fromApprovals((duties, work) => this.withSession(duties, work), { forMe: false }),
  };

  async perform(): Promise<Outcome> {
    const { showApproval } = await import('../../src/platform/approvals/index.js');
    const approval = await this.withSession(DUTIES, (session) => showApproval(session, this.args.request));
    return { result: approval, view: approvalDetails(approval) };
  }
}
