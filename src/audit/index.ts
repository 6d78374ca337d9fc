export type { AuditEvent, Operation } from './event.js';
export { type EventFilter, type EventPage, eventQuery, queryEvents } from './query-events.js';
export { type ShownEvent, showEvent } from './show-event.js';
