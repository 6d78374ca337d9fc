import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { AuditEvent } from './event.js';
import { eventColumns, eventSource } from './event-columns.js';

export interface ShownEvent extends AuditEvent {
  /** SHA-256, hexadecimal. */
  readonly leaf: string;
}

/** One event by its id. Throws `not_found`, also where the session's duty and grants do not reach it. */
export async function showEvent(session: Session, id: string): Promise<ShownEvent> {
  const [event] = await session.query<ShownEvent>(sql`
    select ${eventColumns(session.duty)}, encode(e.leaf, 'hex') as leaf from ${eventSource(session.duty)} e where e.id = ${id}::bigint`);
  if (event !== undefined) return event;
  throw new NestctlError(`You see no audit event ${id}.`, {
    kind: 'not_found',
    hint:
      session.duty === 'support'
        ? 'Support sees events of the families and people it has a live grant for.'
        : 'Look for it by time, table or family.',
    next: 'nestctl audit query --since 1d',
  });
}
