export type { Cause, CauseKind } from './cause.js';
export { type Diagnosis, type DiagnosisWish, diagnoseAccess } from './diagnose-access.js';
export { type Expectation, parseExpectation } from './expectation.js';
export { applyFix, type Fix, type FixDone, planFix } from './fix-cause.js';
