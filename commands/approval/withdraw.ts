import { fromApprovals } from '../../src/console/approval-choice.js';
import { approvalDetails, planText } from '../../src/console/approval-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { uuidArg, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

export default class ApprovalWithdraw extends ConsoleCommand<typeof ApprovalWithdraw> {
  static override summary = 'Withdraw a request of your own';
  static override description = 'Only while nobody has decided it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "no longer needed after all"',
  ];
  static override args = { request: uuidArg({ description: 'its id', required: true }) };
  static override flags = { ...writeFlags, ...zoneFlags };

  protected override readonly choices = {
    request: fromApprovals((duties, work) => this.withSession(duties, work), {
      forMe: false,
      by: async () => (await this.context()).user,
    }),
  };

  async perform(): Promise<Outcome> {
    const { decideApproval, planDecision } = await import('../../src/platform/approvals/index.js');
    const { request } = this.args;
    return await this.withSession(DUTIES, (session) =>
      this.change({
        plan: () => planDecision(session, request),
        show: approvalDetails,
        question: (approval) => `Withdraw your request: ${planText(approval)}?`,
        apply: () => decideApproval(session, request, 'withdrawn'),
        done: (approval) => ({
          result: approval,
          view: text(`Withdrawn: ${planText(approval)}.`, { mark: 'good' }),
          next: 'nestctl approval list',
        }),
      }),
    );
  }
}
