import { ApprovalDecision } from '../../src/console/approval-decision.js';
import { planText } from '../../src/console/approval-views.js';
import type { Approval } from '../../src/platform/approvals/index.js';

export default class ApprovalGrant extends ApprovalDecision {
  static override summary = 'Approve a request of another operator';
  static override description =
    'Takes the duty that the request names, held for a day at least. The approval is for exactly this plan, once, before it expires.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "spoken with them by phone"',
  ];

  protected readonly decision = 'granted';

  protected question(approval: Approval): string {
    return `Let ${approval.requested_by} do this: ${planText(approval)}?`;
  }

  protected said({ requested_by, expires_at }: Approval): string {
    return `Approved. ${requested_by} runs their command again, until ${expires_at.toISOString()}.`;
  }
}
