import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { asTime, microsecondsOf } from '../microseconds.js';
import { readArchives } from './archives.js';
import { dueErasures } from './erase-archived.js';
import { monthOf } from './month.js';

/** A month that would be archived. */
export interface MonthPlan {
  readonly category: string;
  /** `2025-01` */
  readonly month: string;
  readonly events: number;
  /** new; begun: a try was cut off; recorded: all is in the store, and the partition is to be dropped. */
  readonly state: 'new' | 'begun' | 'recorded';
}

export interface ArchivePlan {
  readonly months: readonly MonthPlan[];
  /** Archives that erasures have still to reach, and those erasures' requests. */
  readonly erasures: readonly { readonly archive: string; readonly request: string }[];
  /** Leaves of the newest checkpoint, under which everything archived lies. */
  readonly tree_size: number;
}

/** The months that ended before a time, those that were begun, and erasures on their way. Throws `not_sealed`. */
export async function planArchive(session: Session, olderThan: Date): Promise<ArchivePlan> {
  const { size } = await session.one<{ size: number }>(
    'select coalesce(max(size), 0)::float8 as size from audit.checkpoints where size <= (select t.size from audit.tree t)',
  );
  if (size === 0) {
    throw new NestctlError('The audit log was never sealed.', {
      kind: 'conflict',
      code: 'not_sealed',
      hint: 'Only what lies under a signed head is archived.',
      next: 'nestctl audit seal',
    });
  }
  const open = (await readArchives(session)).filter(({ dropped_at }) => dropped_at === null);
  const partitions = await session.query<{ category: string; month: string }>(
    `select category, replace(month, '_', '-') || '-01' as month
     from (select (regexp_match(c.relname, '^events_([a-z]+)_[0-9_]+$'))[1] as category, (regexp_match(c.relname, '([0-9]{4}_[0-9]{2})$'))[1] as month
       from pg_catalog.pg_partition_tree('audit.events') p join pg_catalog.pg_class c on c.oid = p.relid where p.isleaf) found
     where month is not null order by month, category`,
  );
  const months: MonthPlan[] = [];
  for (const { category, month } of partitions) {
    const { from, to } = monthOf(category, month);
    const begun = open.find(
      (archive) => archive.month.category === category && archive.month.month === month,
    );
    if (to > microsecondsOf(olderThan) && begun === undefined) continue;
    const { events } = await session.one<{ events: number }>(
      `select count(*)::float8 as events from audit.events
       where category = $1::audit.category and occurred_at >= ${asTime(from)} and occurred_at < ${asTime(to)}`,
      [category],
    );
    const state = begun === undefined ? 'new' : begun.recorded ? 'recorded' : 'begun';
    if (events > 0) months.push({ category, month: month.slice(0, 7), events, state });
  }
  const erasures = (await dueErasures(session)).map(({ archive_id: archive, request }) => ({
    archive,
    request,
  }));
  return { months, erasures, tree_size: size };
}
