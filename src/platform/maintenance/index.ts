export { asCompliance } from './as-compliance.js';
export { type JobResult, type JobWork, type MaintenanceJob, PERIODS, type Period } from './job.js';
export { walArchiving } from './wal-archiving.js';
