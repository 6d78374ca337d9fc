export type { Approval, ApprovalState } from './approval.js';
export { type Decision, decideApproval, planDecision } from './decide-approval.js';
export {
  type ApprovalFilter,
  type ApprovalPage,
  type ApprovalSort,
  listApprovals,
} from './list-approvals.js';
export { pendingApproval } from './pending-approval.js';
export { requestApproval } from './request-approval.js';
export { showApproval } from './show-approval.js';
