export { fingerprint, type Heads, namedKeys } from '../platform/signing/key-set.js';
export { type Appended, appendRecord, type Draft } from './append-record.js';
export { appendShared, shareChain } from './carry/append-shared.js';
export { type Carrier, withCarrier } from './carry/carrier.js';
export { type CarriedChain, type CarryPlan, carryEvidence, planCarry } from './carry/carry-evidence.js';
export { provenBefore } from './carry/proven-before.js';
export { type CarriedReport, verifyCarried } from './carry/verify-carried.js';
export type { Doubt, Fault, FaultKind } from './fault.js';
export { type Markup, markup } from './html/escape.js';
export { renderReport } from './html/render-report.js';
export type { Block, ChartBlock, Language, Report, Section, Value, Words } from './html/report.js';
export { say, writeValue } from './html/words.js';
export { writeReport } from './html/write-report.js';
export { createLedgerKey, createSigningKey, planKey } from './keys/create-key.js';
export { importKeys, type KeyImport, planImport } from './keys/import-keys.js';
export { loadImported, verifyingKeys } from './keys/imported-keys.js';
export type { Why } from './keys/key-set-file.js';
export { publishKeys, readKeySet } from './keys/publish-keys.js';
export { planRetirement, type Retirement, retireKey } from './keys/retire-key.js';
export { planRotation, rotateLedgerKey, rotateSigningKey } from './keys/rotate-key.js';
export { openSigner } from './keys/signer.js';
export { type Ledger, type LedgerEntry, openLedger } from './ledger.js';
export { findStatement, type ListedRecord, listRecords } from './list-records.js';
export { lockEvidence } from './lock-evidence.js';
export { evidenceJobs } from './maintenance-jobs.js';
export { type Evidence, openEvidence } from './open-evidence.js';
export { parseHead } from './parse-head.js';
export { signEnd } from './proof/bundle-end.js';
export {
  type BundleLine,
  type BundlePart,
  type ClearFacts,
  fieldsOf,
  formatLine,
  lineLeaf,
  partHash,
} from './proof/bundle-event.js';
export {
  BUNDLE,
  type BundleHeader,
  familyKey,
  formatHeader,
  type Withheld,
} from './proof/bundle-header.js';
export type { LeafFacts } from './proof/event-leaf.js';
export { contentHash, type Field, leafOf, timeOf } from './proof/event-leaf.js';
export { formatProof } from './proof/event-proof.js';
export type { Expected, ProvenBundle } from './proof/verify-bundle.js';
export {
  type JudgedPackage,
  verifyEncryptedRecord,
  verifyPackage,
  verifyPackageBytes,
} from './proof/verify-package.js';
export { type ProofFile, verifyProofFile } from './proof/verify-proof-file.js';
export { readStatement } from './record.js';
export type { RecordStore } from './record-store.js';
export { sealEncrypted, sealPackage } from './seal-package.js';
export { showRecord } from './show-record.js';
export type { ChainReport } from './verify-chain.js';
export { verifyEvidence } from './verify-evidence.js';
