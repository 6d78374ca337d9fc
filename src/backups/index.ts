export { logFrom } from './archive.js';
export type { Archive, ArchivedTimeline, Backup, Catalogue, Gap } from './backup.js';
export {
  type BackupEngine,
  type Damage,
  type Expired,
  type Made,
  openEngine,
  type Verified,
  type WorkOptions,
} from './engine.js';
export { findBackup } from './find-backup.js';
export { backupJobs } from './maintenance-jobs.js';
export { readChecks } from './read-checks.js';
export { parseLsn } from './wal.js';
