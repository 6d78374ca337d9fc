import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { AuditEvent } from '../event.js';
import { eventColumns, eventSource } from '../event-columns.js';
import { aboutUser, type EventFilter, filterConditions } from '../event-filter.js';
import type { LogMark } from './log-mark.js';
import type { Place } from './place.js';

export interface Followed {
  readonly event: AuditEvent;
  /** All up to and with this event was shown. */
  readonly place: Place;
}

const BATCH = 500;

/**
 * What follows a place, in the order of transactions, up to a mark. All below it is committed or gone for good, so
 * nothing can appear there later: nothing is skipped, however late it commits. `each` returns false to stop.
 */
export async function readOn(
  session: Session,
  filter: EventFilter,
  from: Place,
  mark: LogMark,
  each: (followed: Followed) => Promise<boolean>,
): Promise<void> {
  const { text, values } = followQuery(session.duty, filter, from, mark);
  await session.transaction(
    async () => {
      await session.query(`declare followed no scroll cursor for ${text}`, values);
      for (;;) {
        const rows = await session.query<AuditEvent & { place_xid: string; place_id: string }>(
          `fetch ${BATCH} from followed`,
        );
        for (const { place_xid, place_id, ...event } of rows) {
          if (!(await each({ event, place: { ...from, xid: place_xid, id: place_id } }))) return;
        }
        if (rows.length < BATCH) return;
      }
    },
    { readOnly: true },
  );
}

/** The conditions of the events behind a place and below a mark. */
export function between(from: Place, { first_epoch, below }: LogMark): Sql[] {
  return [
    sql`e.epoch = ${from.epoch}::integer`,
    sql`(e.xid, e.id) > (${from.xid}::xid8, ${from.id}::bigint)`,
    sql`e.id > ${from.floor}::bigint`,
    // Of an epoch whose transaction ids are of the past, everything is final.
    ...(from.epoch < first_epoch ? [] : [sql`e.xid < ${below}::xid8`]),
  ];
}

function followQuery(duty: string, filter: EventFilter, from: Place, mark: LogMark): Sql {
  const { found, shown } = filterConditions(filter, duty);
  const conditions = [...between(from, mark), ...found, ...aboutUser(filter)];
  return sql`
    select p.xid::text as place_xid, p.id::text as place_id, shown.*
    from (
      select e.occurred_at, e.xid, e.id from audit.events e
      where ${join(conditions, ' and ')}
      order by e.xid, e.id
      offset 0) p
      cross join lateral (
        select ${eventColumns(duty)} from ${eventSource(duty)} e
        where e.occurred_at = p.occurred_at and e.id = p.id ${shown.length === 0 ? empty : sql`and ${join(shown, ' and ')}`}
        limit 1) shown
    order by p.xid, p.id`;
}
