export { addOperator, loginExists, type NewOperator, planOperator } from './add-operator.js';
export {
  type BootstrapPlan,
  bootstrapOperator,
  type FirstAdmin,
  planBootstrap,
} from './bootstrap-operator.js';
export { changeDuty, type DutyWish, planDuty } from './change-duty.js';
export { changePassword } from './change-password.js';
export { listOperators } from './list-operators.js';
export { makeVerifier } from './make-verifier.js';
export type { HeldDuty, Operator, OperatorChange, OperatorPlan } from './operator.js';
export { planRevocation, type Revocation, revokeOperator } from './revoke-operator.js';
export { type Whoami, whoami } from './whoami.js';
