export type { AuditEvent, Operation } from './event.js';
export type { EventFilter } from './event-filter.js';
export { auditJobs } from './maintenance-jobs.js';
export { type EventPage, eventPlace, eventQuery, queryEvents } from './query-events.js';
export { type ShownEvent, showEvent } from './show-event.js';
