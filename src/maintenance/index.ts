export { checkMaintenance, maintenanceFindings } from './check-maintenance.js';
export type { State } from './job-state.js';
export { JOBS } from './jobs.js';
export { type JobStatus, maintenanceStatus } from './maintenance-status.js';
export { type PlannedJob, planMaintenance } from './plan-maintenance.js';
export { type FinishedJob, runMaintenance } from './run-maintenance.js';
export { describeSchedule, scheduledCommand } from './schedule/scheduled-command.js';
