import { auditJobs } from '../audit/index.js';
import { backupJobs } from '../backups/index.js';
import { evidenceJobs } from '../evidence/index.js';
import { familyJobs } from '../families/index.js';
import { type MaintenanceJob, walArchiving } from '../platform/maintenance/index.js';
import { privacyJobs } from '../privacy/index.js';

const DAY = 86_400_000;

/** Promises of the product that no domain keeps yet. Its job replaces the line here. */
const PROMISED: readonly MaintenanceJob[] = [
  {
    name: 'drill',
    summary: 'a test restore each month, within the RTO of 4 hours',
    period: 'monthly',
    tolerance: 3 * DAY,
    limit: 12 * 3_600_000,
  },
  {
    name: 'residency',
    summary: 'database, authentication and backups are in Canada',
    period: 'quarterly',
    tolerance: 7 * DAY,
    limit: 3_600_000,
  },
];

/** Every job there is, in the order they are run. */
export const JOBS: readonly MaintenanceJob[] = [
  walArchiving,
  ...backupJobs,
  ...auditJobs,
  ...familyJobs,
  ...evidenceJobs,
  ...privacyJobs,
  ...PROMISED,
];
