import { ApprovalDecision } from '../../src/console/approval-decision.js';
import { planText } from '../../src/console/approval-views.js';
import type { Approval } from '../../src/platform/approvals/index.js';

export default class ApprovalRefuse extends ApprovalDecision {
  static override summary = 'Refuse a request of another operator';
  static override description =
    'The reason is what they are shown. It stands until they ask for another reason or ticket.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "their manager does not know of it"',
  ];

  protected readonly decision = 'refused';

  protected question(approval: Approval): string {
    return `Refuse ${approval.requested_by} this: ${planText(approval)}?`;
  }

  protected said(approval: Approval): string {
    return `Refused: ${planText(approval)}.`;
  }
}
