export { type Consent, showConsents } from './consents/consent.js';
export { type ConsentTurn, consentHistory } from './consents/consent-history.js';
export { planWithdrawal, withdrawConsent } from './consents/withdraw-consent.js';
export type { DecisionKind } from './decisions/decision.js';
export type { LostDecision, LostLook } from './decisions/look-for-lost.js';
export { type DecryptWith, type EncryptTo, requireRecipients } from './encryption/encryption.js';
export { type RecordedFile, recordedFile, verifyEncrypted } from './encryption/verify-encrypted.js';
export { writeCertificate } from './erasures/certificate.js';
export { certifyErasure, planCertificate } from './erasures/certify-erasure.js';
export {
  type Erasure,
  type ErasureGround,
  listErasures,
  type OutsideStep,
  readErasure,
  readOutside,
  readProgress,
} from './erasures/erasure.js';
export { readLedger, verifyLedger } from './erasures/ledger.js';
export { planSettlement, settleOutside } from './erasures/outside/settle-outside.js';
export { type ErasurePlan, erasableRequest, planErasure } from './erasures/plan-erasure.js';
export { planRun, type RunPlan } from './erasures/plan-run.js';
export { openResidue, proveErasure } from './erasures/prove-erasure.js';
export { runErasure } from './erasures/run-erasure.js';
export {
  cancelErasure,
  planCancel,
  planSchedule,
  type SchedulePlan,
  scheduleErasure,
} from './erasures/schedule-erasure.js';
export { type CreatedExport, createExport, type ExportWish } from './export/create-export.js';
export {
  type ExportableRequest,
  exportableRequest,
  type PackageSubject,
  packageScope,
  packageSubject,
  requestForChild,
  requireStanding,
} from './export/exportable-request.js';
export { type ExportPlan, planExport } from './export/plan-export.js';
export { type MeasuredPlace, measureResidency } from './export/residency.js';
export { type ExportReview, reviewExport } from './export/review-export.js';
export { writeReviewSheet } from './export/review-sheet.js';
export {
  addGuardian,
  type GuardianAddition,
  guardianPerson,
  planGuardian,
} from './guardians/add-guardian.js';
export { endGuardian, planGuardianEnding } from './guardians/end-guardian.js';
export { type Guardian, listGuardians } from './guardians/guardian.js';
export { mayActFor, type Standing } from './guardians/may-act-for.js';
export { type HoldReview, planHoldReview, planRelease, releaseHold, reviewHold } from './holds/end-hold.js';
export { type HoldBasis, type HoldSubject, type LegalHold, listHolds, readHold } from './holds/legal-hold.js';
export { type HoldPlan, placeHold, planHold } from './holds/place-hold.js';
export { privacyJobs } from './maintenance-jobs.js';
export type { ColumnAnswer, TablePath } from './map/answer.js';
export { checkMap, type MapCheck } from './map/check-map.js';
export { type ColumnExplanation, explainColumn } from './map/explain-column.js';
export { SAMPLE_RULE, sampleColumns } from './map/sample-columns.js';
export { type DataMap, showMap } from './map/show-map.js';
export type { Look, Returned } from './replay/look-for-returned.js';
export { planReplay, type Replay, type ReplayPlan, replayLost } from './replay/replay.js';
export type { Replayed } from './replay/replay-erasures.js';
export {
  type Complaint,
  type ComplaintClosing,
  type ComplaintPlan,
  closeComplaint,
  planClosing,
  planComplaint,
  recordComplaint,
} from './requests/complaint.js';
export {
  type Correction,
  type CorrectionPlan,
  type CorrectionWish,
  correct,
  type NoticePlan,
  planCorrection,
  planNotice,
  type RecipientNotice,
  recordNotice,
} from './requests/correct.js';
export { enterCode, requireCode } from './requests/enter-code.js';
export type { ClockLine } from './requests/explain-clock.js';
export { findOpenRequest } from './requests/find-open-request.js';
export { composeLetter, letterText, writeLetter } from './requests/letters/letter.js';
export {
  type ListedRequest,
  listRequests,
  type RequestPage,
  type RequestSort,
} from './requests/list-requests.js';
export {
  type Opening,
  openRequest,
  planOpening,
  type RequestSubject,
  type RequestWish,
} from './requests/open-request.js';
export { type DataRequest, readRequest } from './requests/request.js';
export { type CodePlan, planCode, type SentCode, sendCode } from './requests/send-code.js';
export { type RequestFile, type RequestStep, showRequest } from './requests/show-request.js';
export { planStep, type StepPlan, type StepWish, takeStep } from './requests/take-step.js';
export { planRevocation, type Revocation, type RevocationPlan, revokeShares } from './share/revoke-share.js';
export { planShare, type SharedLink, type SharePlan, sharePackage } from './share/share-package.js';
export { requireNoLocks, withShareStore } from './share/share-store.js';
export {
  listPackages,
  type Share,
  type SharedPackage,
  scopeOf,
} from './share/shared-package.js';
