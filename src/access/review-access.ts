import sql from 'sql-template-tag';
import { type AuditEvent, queryEvents } from '../audit/index.js';
import type { Session } from '../platform/database/session.js';
import { NestctlError } from '../platform/errors.js';
import { type BrokenGlass, showReview } from './list-reviews.js';

/** What the audit log holds of an operator while the glass was broken, its opening left out. Reads leave no event. */
export interface Deeds {
  readonly glass: BrokenGlass;
  readonly counts: readonly {
    readonly table_name: string;
    readonly operation: string;
    readonly events: number;
  }[];
  /** The last of them, newest first. */
  readonly events: readonly AuditEvent[];
}

const SHOWN = 20;

/** What the operator did between opening and end, for the reviewer to read first. Throws `not_found`. */
export async function readDeeds(session: Session, id: string): Promise<Deeds> {
  const glass = await showReview(session, id);
  const { operator, opened_at, ended_at } = glass;
  const counts = await session.query<Deeds['counts'][number]>(sql`
    select e.table_name, lower(e.operation::text) as operation, count(*)::int as events
    from ops.access_grants g
      join audit.events e on e.session_login = g.operator and e.duty is not null and e.occurred_at >= g.opened_at
        and e.occurred_at <= coalesce(g.closed_at, g.expires_at) and e.record_id is distinct from g.id
    where g.id = ${id}
    group by 1, 2 order by 3 desc, 1, 2`);
  const { events } = await queryEvents(
    session,
    { operator, since: opened_at, until: new Date(ended_at.getTime() + 1) },
    { limit: SHOWN },
  );
  return { glass, counts, events: events.filter(({ record }) => record !== id) };
}

/** The same, where it can be signed now. Throws `conflict` while it is open or once it was reviewed. */
export async function planReview(session: Session, id: string): Promise<Deeds> {
  const deeds = await readDeeds(session, id);
  const { state } = deeds.glass;
  if (state === 'due' || state === 'overdue') return deeds;
  throw new NestctlError(
    state === 'open' ? `The glass ${id} is still broken.` : `The break-glass ${id} was reviewed already.`,
    {
      kind: 'conflict',
      code: state === 'open' ? 'still_open' : 'reviewed',
      next: `nestctl access review ${id}`,
    },
  );
}

/** Signs the review with the session's reason as its note, and reads it back. Nobody reviews their own. */
export async function reviewAccess(
  session: Session,
  id: string,
  verdict: 'justified' | 'not_justified',
): Promise<BrokenGlass> {
  await session.query(sql`
    select ops.review_access(${id}, ${verdict}, current_setting('nestsync.reason', true))`);
  return await showReview(session, id);
}
