import { fromApprovals } from '../../src/console/approval-choice.js';
import { approvalDetails, planText } from '../../src/console/approval-views.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { uuidArg, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';
import { DUTIES } from '../../src/platform/database/duties.js';

export default class ApprovalGrant extends ConsoleCommand<typeof ApprovalGrant> {
  static override summary = 'Approve a request of another operator';
  static override description =
    'Takes the duty that the request names, held for a day at least. The approval is for exactly this plan, once, before it expires.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "spoken with them by phone"',
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
        question: (approval) => `Let ${approval.requested_by} do this: ${planText(approval)}?`,
        apply: () => decideApproval(session, request, 'granted'),
        done: (approval) => ({
          result: approval,
          view: text(
            `Approved. ${approval.requested_by} runs their command again, until ${approval.expires_at.toISOString()}.`,
            { mark: 'good' },
          ),
          next: 'nestctl approval list --for-me',
        }),
      }),
    );
  }
}
