import type { Connection } from '../../platform/database/connection.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { type Archive, readArchives } from '../archive/archives.js';
import { nameOf } from '../archive/month.js';
import { isSigned } from '../archive/sign-archive.js';
import type { Findings } from './finding.js';
import { type MonthWalk, walkMonths } from './walk-months.js';

/** A month that is not in the database any more, and how its leaves were verified. */
export interface ArchivedMonth {
  readonly archive: string;
  readonly category: string;
  /** `2025-01` */
  readonly month: string;
  readonly events: number;
  readonly place: string;
  /** Its leaves in the tree of the database are those that were signed for; the store is not read. */
  readonly looked_at: 'tree';
}

/** The archives that stand for events, while the tree is walked. */
export interface ArchiveWalk extends Pick<MonthWalk, 'holds' | 'take'> {
  /** Holds each archive's leaves against what was signed. */
  readonly judge: () => ArchivedMonth[];
  readonly archives: readonly Archive[];
}

/**
 * Months whose partition was dropped after they had been archived. One that nobody signed for counts for nothing: its
 * leaves then miss their events. `destroyed`: those that were pruned since.
 */
export async function walkArchives(
  connection: Connection,
  log: string,
  keys: readonly NamedKey[],
  findings: Findings,
  destroyed: ReadonlySet<string>,
): Promise<ArchiveWalk> {
  const dropped = (await readArchives(connection)).filter(
    ({ id, dropped_at }) => dropped_at !== null && !destroyed.has(id),
  );
  const archives = dropped.filter((archive) => {
    if (isSigned(archive, log, keys)) return true;
    findings.fault('unproven_archive', 'no known key has signed that it holds what the database says of it', {
      object: `archive of ${nameOf(archive.month)}`,
    });
    return false;
  });
  const { holds, take, differs } = walkMonths(archives);
  return {
    archives,
    holds,
    take,
    judge: () =>
      archives.map(({ id, month, events, place }, at) => {
        const wrong = differs(at);
        if (wrong !== undefined)
          findings.fault('archive_differs', wrong, { object: `archive of ${nameOf(month)}` });
        const { category } = month;
        return {
          archive: id,
          category,
          month: month.month.slice(0, 7),
          events: events ?? 0,
          place,
          looked_at: 'tree',
        };
      }),
  };
}

/**
 * Counts events that lost parts in archives by request, beside those in the database. What an erasure has still to
 * reach is a doubt.
 */
export async function judgeArchivedErasures(
  connection: Connection,
  erased: Map<string, number>,
  findings: Findings,
): Promise<void> {
  const reached = await connection.query<{ request: string; events: number; due: number }>(
    `select request, coalesce(sum(events), 0)::float8 as events, count(distinct archive_id) filter (where done_at is null)::int as due
     from audit.archive_erasures group by request order by request`,
  );
  for (const { request, events, due } of reached) {
    if (events > 0) erased.set(request, (erased.get(request) ?? 0) + events);
    if (due === 0) continue;
    const where = due === 1 ? 'an archive' : `${due} archives`;
    findings.doubt(`request ${request}`, `what it erased may still lie in ${where}: nestctl audit archive`);
  }
}
