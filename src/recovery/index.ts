export { type Advice, adviseTarget, requireReachable } from './advise.js';
export { discardRestore, findRestore } from './discard-restore.js';
export type { Restore } from './isolated/folder.js';
export { listRestores, type RestoreStatus } from './list-restores.js';
export { runRestore } from './run-restore.js';
export { describeTarget, type RecoveryTarget } from './target.js';
export { verifyRestore } from './verify/verify-restore.js';
