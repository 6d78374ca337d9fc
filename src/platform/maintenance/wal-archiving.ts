import type { Connection } from '../database/connection.js';
import type { JobResult, MaintenanceJob } from './job.js';

const RPO_MINUTES = 60;

interface Archive {
  readonly mode: string;
  /** Seconds; 0 for never. */
  readonly timeout: number;
  readonly failing: boolean;
  readonly last_failed: string | null;
  /** Newest archived segment without its timeline; empty before the first, null where that is not known. */
  readonly segment: string | null;
  /** The newest place in the log that is known to be older than the RPO, and when the log was there. */
  readonly noted_at: Date | null;
  readonly noted_segment: string | null;
  /** Bytes written since that are not archived. */
  readonly behind: string | null;
}

/**
 * Whether everything that is older than an hour is archived. Every run of maintenance notes where the log stood,
 * so that an hour later it can be said exactly. Reads pg_stat_archiver and ops.maintenance_runs.
 */
export const walArchiving: MaintenanceJob = {
  name: 'wal-archiving',
  summary: 'RPO of 1 hour: what was written more than an hour ago is archived',
  period: 'hourly',
  tolerance: 30 * 60_000,
  limit: 60_000,
  run: async ({ session }) => judge(await readArchive(session)),
};

async function readArchive(session: Connection): Promise<Archive> {
  return await session.one<Archive>(`
    select current_setting('archive_mode') as mode,
      (select setting::int from pg_settings where name = 'archive_timeout') as timeout,
      coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) as failing,
      a.last_failed_wal as last_failed, 
      -- Before the first one the statistics must be old enough to mean something.
      case when a.last_archived_wal is null and a.stats_reset < clock_timestamp() - make_interval(mins => ${RPO_MINUTES})
        then '' else substr(s.name, 9) end as segment,
      n.started_at as noted_at, substr(pg_walfile_name(n.wal_lsn), 9) as noted_segment,
      (pg_current_wal_insert_lsn() - n.wal_lsn)::text as behind
    from pg_stat_archiver a
      -- A backup's label is archived after the segment it began in.
      cross join lateral (select substring(a.last_archived_wal from '^[0-9A-F]{24}(?=$|\\.[0-9A-F]{8}\\.backup$)') as name) s
      left join lateral (
        select r.started_at, r.wal_lsn from ops.maintenance_runs r
        where r.started_at <= clock_timestamp() - make_interval(mins => ${RPO_MINUTES})
          -- A recovery may have gone back behind what was noted.
          and r.wal_lsn <= pg_current_wal_insert_lsn()
        order by r.started_at desc limit 1) n on true`);
}

function judge(archive: Archive): JobResult {
  if (archive.mode === 'off') {
    return { outcome: 'finding', detail: 'archive_mode is off: there is no recovery to a point in time' };
  }
  if (archive.failing) {
    return { outcome: 'finding', detail: `archiving fails at ${archive.last_failed}` };
  }
  const { noted_at: at, noted_segment: noted, segment } = archive;
  if (at !== null && noted !== null) {
    if (segment === null) {
      return { outcome: 'unknown', detail: 'the server does not say which segment it archived last' };
    }
    if (segment >= noted)
      return { outcome: 'done', detail: `all of ${at.toISOString()} is archived`, counts: { segment } };
    return {
      outcome: 'finding',
      detail: `changes before ${at.toISOString()} are not archived yet: the RPO of 1 hour is not kept`,
      counts: { segment, wanted: noted, behind_bytes: Number(archive.behind) },
    };
  }
  if (archive.timeout === 0 || archive.timeout > RPO_MINUTES * 60) {
    return {
      outcome: 'finding',
      detail:
        'archive_timeout is off or above 1 hour: a quiet server keeps changes unarchived for longer than the RPO',
    };
  }
  return {
    outcome: 'unknown',
    detail: 'where the log stood an hour ago was not noted yet; from now on it is',
  };
}
