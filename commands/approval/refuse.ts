import { fromApprovals } from '../../src/console/approval-choice.js';
import { approvalDetails, planText } from '../../src/console/approval-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { uuidArg, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

export default class ApprovalRefuse extends ConsoleCommand<typeof ApprovalRefuse> {
  static override summary = 'Refuse a request of another operator';
  static override description =
    'The reason is what they are shown. It stands until they ask for another reason or ticket.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "their manager does not know of it"',
  ];
  static override args = { request: uuidArg({ description: 'its id', required: true }) };
  static override flags = { ...writeFlags, ...zoneFlags };

  protected override readonly choices = {
    request: fromApprovals((duties, work) => this.withSession(duties, work), { forMe: true }),
  };

  async perform(): Promise<Outcome> {
    const { decideApproval, planDecision, showApproval } = await import(
      '../../src/platform/approvals/index.js'
    );
    const { request } = this.args;
    const { approver_duty } = await this.withSession(DUTIES, (session) => showApproval(session, request));
    return await this.withSession([approver_duty], (session) =>
      this.change({
        plan: () => planDecision(session, request),
        show: approvalDetails,
        question: (approval) => `Refuse ${approval.requested_by} this: ${planText(approval)}?`,
        apply: () => decideApproval(session, request, 'refused'),
        done: (approval) => ({
          result: approval,
          view: text(`Refused: ${planText(approval)}.`, { mark: 'good' }),
          next: 'nestctl approval list --for-me',
        }),
      }),
    );
  }
}
