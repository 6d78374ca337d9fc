import sql, { raw } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { Archive } from '../archive/archives.js';
import { ARCHIVED } from '../event-columns.js';
import type { EventFilter } from '../event-filter.js';
import type { Bounds } from '../filter/bounds.js';
import { type EventPaging, eventPlace, eventQuery } from '../query-events.js';
import { transactionWindow } from '../transaction-window.js';

/** Times to the millisecond, both inside. */
export interface Span {
  readonly first: Date;
  readonly last: Date;
}

export function spanOfMonth({ month }: Pick<Archive, 'month'>): Span {
  const at = (microseconds: bigint) => Date.UTC(2000, 0, 1) + Number(microseconds / 1000n);
  return { first: new Date(at(month.from)), last: new Date(at(month.to) - 1) };
}

/** What lies behind the cursor of a page. */
export function boundsOfPage({ cursor, oldestFirst }: EventPaging): Bounds {
  if (cursor === undefined) return {};
  const [text = ''] = eventPlace(cursor, oldestFirst);
  const at = new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));
  if (Number.isNaN(at.getTime())) return {};
  return oldestFirst ? { since: at } : { until: new Date(at.getTime() + 1) };
}

/** When the events were, that the database alone would show on a page. */
export async function timesInDatabase(
  session: Session,
  filter: EventFilter,
  page: EventPaging,
): Promise<Date[]> {
  const within = await transactionWindow(session, filter);
  const rows = await session.query<{ occurred_at: Date }>(eventQuery(session.duty, filter, page, within));
  return rows.map(({ occurred_at }) => occurred_at);
}

/** The same of what was brought so far. */
export async function timesBrought(session: Session, page: EventPaging): Promise<Date[]> {
  const direction = raw(page.oldestFirst ? 'asc' : 'desc');
  const rows = await session.query<{ occurred_at: Date }>(sql`
    select e.occurred_at from ${ARCHIVED} e order by e.occurred_at ${direction}, e.id ${direction} limit ${page.limit + 1}`);
  return rows.map(({ occurred_at }) => occurred_at);
}

/** Whether the page is full, and one more known, before anything of a span would come. */
export function isFullBefore(
  span: Span,
  times: readonly Date[],
  { limit, oldestFirst }: EventPaging,
): boolean {
  const before = times.filter((time) => (oldestFirst ? time < span.first : time > span.last));
  return before.length > limit;
}

/** In the order in which a page comes to them. */
export function inPageOrder<S extends Span>(spans: readonly S[], page: EventPaging | undefined): S[] {
  const sign = page?.oldestFirst ? 1 : -1;
  const edge = ({ first, last }: Span) => (page?.oldestFirst ? first : last).getTime();
  return [...spans].sort((one, other) => sign * (edge(one) - edge(other)));
}
