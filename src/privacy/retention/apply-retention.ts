import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { JobResult } from '../../platform/maintenance/index.js';

interface Due {
  readonly table: string;
  readonly due: number;
  /** More that are over their time, and that a hold, a request or a complaint preserves. */
  readonly held: number;
}

/** Rows of one transaction. */
const BATCH = 5_000;

/** Deletes what the data map keeps no longer, a batch at a time; cut off at any moment, the next run goes on. */
export async function applyRetention(session: Session, signal: AbortSignal): Promise<JobResult> {
  const before = await dueRows(session);
  const counts: Record<string, number> = {};
  for (const { table, due } of before) {
    if (due === 0) continue;
    for (let deleted = BATCH; deleted === BATCH; ) {
      signal.throwIfAborted();
      ({ deleted } = await session.one<{ deleted: number }>(
        sql`select ops.retain_batch(${table}, ${BATCH}::integer) as deleted`,
      ));
      counts[table] = (counts[table] ?? 0) + deleted;
    }
  }
  const held = before.reduce((sum, one) => sum + one.held, 0);
  const deleted = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const preserved = held === 0 ? '' : `; ${held} more are preserved by a hold, a request or a complaint`;
  return {
    outcome: 'done',
    detail: `${deleted === 0 ? 'no row is' : `${deleted} rows were`} over their time${preserved}`,
    counts: { ...counts, held },
  };
}

const dueRows = (session: Session) =>
  session.query<Due>(
    'select table_name as "table", due::float8 as due, held::float8 as held from ops.retention_due()',
  );
