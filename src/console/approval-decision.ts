import type { Approval } from '../platform/approvals/index.js';
import { DUTIES } from '../platform/database/duties.js';
import { fromApprovals } from './approval-choice.js';
import { approvalDetails } from './approval-views.js';
import { ConsoleCommand } from './base-command.js';
import { uuidArg, writeFlags, zoneFlags } from './flags/index.js';
import type { Outcome } from './outcome.js';
import { text } from './views.js';

/** What somebody decides on a request of another operator, under the duty that the request names. */
export abstract class ApprovalDecision extends ConsoleCommand<typeof ApprovalDecision> {
  static override args = { request: uuidArg({ description: 'its id', required: true }) };
  static override flags = { ...writeFlags, ...zoneFlags };

  protected abstract readonly decision: 'granted' | 'refused';
  protected abstract question(approval: Approval): string;
  protected abstract said(approval: Approval): string;

  protected override readonly choices = {
    request: fromApprovals((duties, work) => this.withSession(duties, work), { forMe: true }),
  };

  async perform(): Promise<Outcome> {
    const { decideApproval, planDecision, showApproval } = await import('../platform/approvals/index.js');
    const { request } = this.args;
    const { approver_duty } = await this.withSession(DUTIES, (session) => showApproval(session, request));
    return await this.withSession([approver_duty], (session) =>
      this.change({
        plan: () => planDecision(session, request),
        show: approvalDetails,
        question: (approval) => this.question(approval),
        apply: () => decideApproval(session, request, this.decision),
        done: (approval) => ({
          result: approval,
          view: text(this.said(approval), { mark: 'good' }),
          next: 'nestctl approval list --for-me',
        }),
      }),
    );
  }
}
