import sql, { join } from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import type { AuditEvent } from './event.js';
import { eventColumns, eventSources } from './event-columns.js';
import { readWhere } from './filter/where.js';
import { type ArchivedPlace, locateArchived } from './recall/locate-archived.js';
import { type ArchiveWish, readLog } from './recall/read-log.js';

export interface ShownEvent extends AuditEvent {
  /** SHA-256, hexadecimal. */
  readonly leaf: string;
}

/**
 * One event by its id, where it is wished also from its archived month. Throws `not_found`, also where the session's
 * duty and grants do not reach it, and `event_archived`, which names the month.
 */
export async function showEvent(session: Session, id: string, archive?: ArchiveWish): Promise<ShownEvent> {
  const [event] = await lookUp(session, id);
  if (event !== undefined) return event;
  // What support sees nothing of it is not told of either.
  const place = session.duty === 'support' ? undefined : await locateArchived(session, id);
  if (place === undefined) throw unseen(session, id);
  if (archive === undefined) throw archived(id, place);
  const filter = {
    since: place.time,
    until: new Date(place.time.getTime() + 1),
    where: readWhere(`event = ${id} and category = ${place.category}`, (input) => new Date(input)),
  };
  const [brought] = await readLog(
    session,
    (work) => work(session),
    { filter, archive },
    (reader, within: typeof filter & { readonly archived?: boolean }) => lookUp(reader, id, within.archived),
  );
  if (brought === undefined) throw unseen(session, id);
  return brought;
}

async function lookUp(session: Session, id: string, archived?: boolean): Promise<ShownEvent[]> {
  const { duty } = session;
  const found = eventSources(duty, archived).map(
    (source) =>
      sql`select ${eventColumns(duty)}, encode(e.leaf, 'hex') as leaf from ${source} e where e.id = ${id}::bigint`,
  );
  return await session.query<ShownEvent>(join(found, ' union all '));
}

function archived(id: string, { month }: ArchivedPlace): NestctlError {
  return new NestctlError(
    `Event ${id} is not in the database any more: it lies in the archived month ${month}.`,
    {
      kind: 'not_found',
      code: 'event_archived',
      hint: 'It is read from the object store, and proven, with --include-archive.',
      next: `nestctl audit show ${id} --include-archive`,
    },
  );
}

function unseen({ duty }: Session, id: string): NestctlError {
  return new NestctlError(`You see no audit event ${id}.`, {
    kind: 'not_found',
    hint:
      duty === 'support'
        ? 'Support sees events of the families and people it has a live grant for.'
        : 'Look for it by time, table or family.',
    next: 'nestctl audit query --since 1d',
  });
}
