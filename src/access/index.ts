export type { Rule } from '../platform/rules/index.js';
export { type BreakGlassPlan, breakGlass, planBreakGlass } from './break-glass.js';
export { closeAccess, planClosing } from './close-access.js';
export {
  applyFix,
  type Cause,
  type Diagnosis,
  diagnoseAccess,
  parseExpectation,
  planFix,
} from './diagnose/index.js';
export { ensureAccess, ensureSomeAccess } from './ensure-access.js';
export { ensureLogAccess } from './ensure-log-access.js';
export {
  type ExplainWish,
  type Explanation,
  explainAccess,
  explainAsRole,
  explainAt,
  loadParser,
  type RoleWish,
} from './explain/index.js';
export { findFamilies } from './find-families.js';
export type { Grant, GrantKind } from './grant.js';
export {
  type ImpersonationWish,
  type PersonsRows,
  type PersonsWrite,
  type PersonsWritePlan,
  type PersonsWriteWish,
  planWriteAsPerson,
  readAsPerson,
  totalOf,
  writeAsPerson,
} from './impersonate/index.js';
export { type Lint, type LintFinding, lintAccess } from './lint/lint-access.js';
export { type GrantFilter, type GrantPage, type GrantSort, listAccess } from './list-access.js';
export { type BrokenGlass, listReviews } from './list-reviews.js';
export { directories } from './look-up.js';
export { accessMatrix, type Matrix } from './matrix/index.js';
export {
  type AccessPlan,
  type AccessWish,
  type OpenedAccess,
  openAccess,
  planAccess,
} from './open-access.js';
export { type Proof, type ProveOptions, proveAccess, writeScripts } from './prove/index.js';
export { type Deeds, planReview, readDeeds, reviewAccess } from './review-access.js';
export { type Scope, scopeOf } from './scope.js';
