import type { Session } from '../../platform/database/session.js';
import { type Archive, readArchives } from '../archive/archives.js';
import type { EventFilter } from '../event-filter.js';
import { type Bounds, bothBounds } from '../filter/bounds.js';
import { microsecondsOf } from '../microseconds.js';

/** What all events of a filter lie in. */
export function boundsOfFilter({ since, until, where }: EventFilter): Bounds {
  return bothBounds({ since, until }, where?.bounds ?? {});
}

/** Whether an archived month can hold anything within the bounds. */
export function touches({ month }: Pick<Archive, 'month'>, { since, until, categories }: Bounds): boolean {
  return (
    (since === undefined || month.to > microsecondsOf(since)) &&
    (until === undefined || month.from < microsecondsOf(until)) &&
    (categories === undefined || categories.includes(month.category))
  );
}

/** The archives that stand for what is not in the database any more, within bounds. */
export async function touchedArchives(session: Session, bounds: Bounds): Promise<Archive[]> {
  const archives = await readArchives(session);
  // What was destroyed in the store because its years were over is gone, and named with what was pruned.
  const gone = await session.query<{ id: string }>(
    'select distinct archive_id as id from audit.archive_objects where destroyed_at is not null',
  );
  const destroyed = new Set(gone.map(({ id }) => id));
  return archives.filter(
    (archive) => archive.dropped_at !== null && !destroyed.has(archive.id) && touches(archive, bounds),
  );
}
