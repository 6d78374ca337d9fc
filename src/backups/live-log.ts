import type { Connection } from '../platform/database/connection.js';
import { type Lsn, parseLsn } from './wal.js';

/** Where the log of the live database stands. */
export interface LiveLog {
  readonly lsn: Lsn;
  readonly timeline: number;
  /** The file that archiving fails at now; null where it does not. */
  readonly failing: string | null;
  /** Days since the first migration. */
  readonly age_days: number | null;
}

/** Under a duty that reads the migrations: sre, admin, auditor or compliance. */
export async function readLiveLog(session: Connection): Promise<LiveLog> {
  const { lsn, segment, failing, age_days } = await session.one<{
    lsn: string;
    segment: string;
    failing: string | null;
    age_days: number | null;
  }>(`
    select pg_current_wal_insert_lsn()::text as lsn, pg_walfile_name(pg_current_wal_insert_lsn()) as segment,
      case when a.last_failed_time > coalesce(a.last_archived_time, '-infinity') then a.last_failed_wal end as failing,
      (select extract(epoch from now() - min(r.ran_at)) / 86400 from ops.migration_runs r)::float8 as age_days
    from pg_stat_archiver a`);
  return { lsn: parseLsn(lsn), timeline: Number.parseInt(segment.slice(0, 8), 16), failing, age_days };
}
